import { MillraceError } from '../core/errors.ts';

export interface PerProjectOptions {
  /** Most that one project may have at a time. */
  readonly max: number;
  /** What is counted, in the plural: `readers of the past`. */
  readonly what: string;
  /** The limit, by its configuration path. */
  readonly limit: string;
}

/** Counts what each project has of something that costs much, and refuses more than `max`. */
export class PerProject {
  readonly #options: PerProjectOptions;
  readonly #taken = new Map<string, number>();
  /** Who waits for a place of a project. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: PerProjectOptions) {
    this.#options = options;
  }

  /**
   * Answers the function that gives the place back; further calls of it do nothing.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`
   */
  take(projectId: string): () => void {
    this.occupy(projectId);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.giveBack(projectId);
    };
  }

  /**
   * As `take`, for those who remember by themselves that they have places: `giveBack` once, with the same count.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`
   */
  occupy(projectId: string, count = 1): void {
    if (count === 0) return;
    this.assertPlace(projectId, count);
    this.#taken.set(projectId, (this.#taken.get(projectId) ?? 0) + count);
  }

  giveBack(projectId: string, count = 1): void {
    if (count === 0) return;
    const left = (this.#taken.get(projectId) ?? count) - count;
    if (left === 0) this.#taken.delete(projectId);
    else this.#taken.set(projectId, left);
    this.#tell(projectId);
  }

  /** @throws {MillraceError} `LIMIT_EXCEEDED`: `take` would */
  assertPlace(projectId: string, count = 1): void {
    if (this.hasPlace(projectId, count)) return;
    const { max, what, limit } = this.#options;
    const has = this.#taken.get(projectId) ?? 0;
    const message =
      count === 1
        ? `this project already has ${max} ${what} (${limit})`
        : `this project may have ${max} ${what} (${limit}): it has ${has}, and these would be ${count} more`;
    throw new MillraceError('LIMIT_EXCEEDED', message, { limit });
  }

  /** How many each project has that has any. */
  get counts(): ReadonlyMap<string, number> {
    return this.#taken;
  }

  hasPlace(projectId: string, count = 1): boolean {
    return count === 0 || (this.#taken.get(projectId) ?? 0) + count <= this.#options.max;
  }

  /** Whether somebody waits for a place of the project. */
  isAwaited(projectId: string): boolean {
    return this.#waiting.has(projectId);
  }

  /** Calls `tell` once, when a place of the project is given back. @returns ends that */
  whenFree(projectId: string, tell: () => void): () => void {
    const waiting = this.#waiting.get(projectId) ?? new Set();
    this.#waiting.set(projectId, waiting);
    waiting.add(tell);
    return () => {
      waiting.delete(tell);
      if (waiting.size === 0 && this.#waiting.get(projectId) === waiting) {
        this.#waiting.delete(projectId);
      }
    };
  }

  #tell(projectId: string): void {
    const waiting = this.#waiting.get(projectId);
    this.#waiting.delete(projectId);
    for (const tell of waiting ?? []) tell();
  }
}
