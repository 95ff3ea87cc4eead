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

/** What a connection may use of what its project has: one for all of a project, as there may be very many. */
export class Allowance {
  readonly budget: ByteBudget;
  readonly #projectId: string;
  readonly #allowances: Allowances;

  constructor(allowances: Allowances, projectId: string, budget: ByteBudget) {
    this.#allowances = allowances;
    this.#projectId = projectId;
    this.budget = budget;
  }

  /** See `Allowances.assertAffordable`. */
  assertAffordable(): void {
    this.#allowances.assertAffordable(this.#projectId);
  }

  /** A connection that took it has closed: to be called once for each. */
  giveBack(): void {
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
  readonly #byProject = new Map<string, Allowance>();

  constructor(options: AllowancesOptions) {
    this.#options = options;
    this.#connections = new PerProject({
      max: options.maxConnectionsPerProject,
      what: 'connections',
      limit: 'limits.connectionsPerProject',
    });
  }

  /**
   * For one more connection.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`: the project has as many as it may have
   */
  take(projectId: string): Allowance {
    this.#connections.occupy(projectId);
    return this.#of(projectId);
  }

  /** A connection less. For `Allowance` only. */
  giveBack(projectId: string): void {
    this.#connections.giveBack(projectId);
  }

  /** Counts what is sent for a project in another way than by a connection of its own. */
  spend(projectId: string, bytes: number): void {
    this.#of(projectId).budget.spend(bytes);
  }

  /** @throws {MillraceError} `LIMIT_EXCEEDED`: the project's last answers were more than it may be sent */
  assertAffordable(projectId: string): void {
    const debtMs = this.#byProject.get(projectId)?.budget.debtMs ?? 0;
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
    for (const [projectId, { budget }] of this.#byProject) {
      yield [projectId, budget.takeSentBytes()];
    }
  }

  #of(projectId: string): Allowance {
    let allowance = this.#byProject.get(projectId);
    if (allowance === undefined) {
      const { clock, bytesPerSecondPerProject: bytesPerSecond } = this.#options;
      allowance = new Allowance(this, projectId, new ByteBudget({ clock, bytesPerSecond }));
      this.#byProject.set(projectId, allowance);
    }
    return allowance;
  }
}
