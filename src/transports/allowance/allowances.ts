import type { Clock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import { PerProject } from '../../hub/per-project.ts';
import { ByteBudget } from './byte-budget.ts';

export interface AllowancesOptions {
  readonly clock: Clock;
  /** WebSockets and event streams that one project may have at a time. */
  readonly maxConnectionsPerProject: number;
  /** `Infinity`: no limit. */
  readonly bytesPerSecondPerProject: number;
}

/** What a connection may use of what its project has. */
export class Allowance {
  readonly budget: ByteBudget;
  readonly #projectId: string;
  readonly #allowances: Allowances;
  #isGivenBack = false;

  constructor(allowances: Allowances, projectId: string, budget: ByteBudget) {
    this.#allowances = allowances;
    this.#projectId = projectId;
    this.budget = budget;
  }

  /** See `Allowances.assertAffordable`. */
  assertAffordable(): void {
    this.#allowances.assertAffordable(this.#projectId);
  }

  /** The connection has closed. Further calls do nothing. */
  giveBack(): void {
    if (this.#isGivenBack) return;
    this.#isGivenBack = true;
    this.#allowances.giveBack(this.#projectId);
  }
}

/** More debt than this comes of large answers only: what subscriptions send is waited for. */
const mostDebtMs = 1_000;

/** What each project may have of the server's connections and of its network, so that none starves the others. */
export class Allowances {
  readonly #options: AllowancesOptions;
  readonly #connections: PerProject;
  /** Of all projects that somebody was let in for: nobody can make them up. */
  readonly #budgets = new Map<string, ByteBudget>();

  constructor(options: AllowancesOptions) {
    this.#options = options;
    this.#connections = new PerProject({
      max: options.maxConnectionsPerProject,
      what: 'connections',
      limit: 'limits.connectionsPerProject',
    });
  }

  /** @throws {MillraceError} `LIMIT_EXCEEDED`: the project has as many connections as it may have */
  take(projectId: string): Allowance {
    this.#connections.occupy(projectId);
    return new Allowance(this, projectId, this.#budgetOf(projectId));
  }

  /** A connection less. For `Allowance` only, which does so once. */
  giveBack(projectId: string): void {
    this.#connections.giveBack(projectId);
  }

  /** Counts what is sent for a project in another way than by a connection of its own. */
  spend(projectId: string, bytes: number): void {
    this.#budgetOf(projectId).spend(bytes);
  }

  /** @throws {MillraceError} `LIMIT_EXCEEDED`: the project's last answers were more than it may be sent */
  assertAffordable(projectId: string): void {
    const debtMs = this.#budgets.get(projectId)?.debtMs ?? 0;
    if (debtMs <= mostDebtMs) return;
    const limit = 'limits.bytesPerSecondPerProject';
    throw new MillraceError(
      'LIMIT_EXCEEDED',
      `this project may be sent ${this.#options.bytesPerSecondPerProject} bytes a second (${limit}): try again in ${Math.ceil(debtMs / 1_000)} s`,
      { limit },
    );
  }

  /** What was sent for each project since this was asked last. */
  *takeSentBytes(): Generator<readonly [projectId: string, bytes: number]> {
    for (const [projectId, budget] of this.#budgets) yield [projectId, budget.takeSentBytes()];
  }

  #budgetOf(projectId: string): ByteBudget {
    let budget = this.#budgets.get(projectId);
    if (budget === undefined) {
      const { clock, bytesPerSecondPerProject: bytesPerSecond } = this.#options;
      budget = new ByteBudget({ clock, bytesPerSecond });
      this.#budgets.set(projectId, budget);
    }
    return budget;
  }
}
