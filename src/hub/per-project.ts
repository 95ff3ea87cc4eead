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

  constructor(options: PerProjectOptions) {
    this.#options = options;
  }

  /**
   * Answers the function that gives the place back; further calls of it do nothing.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`
   */
  take(projectId: string): () => void {
    const { max, what, limit } = this.#options;
    const taken = this.#taken.get(projectId) ?? 0;
    if (taken >= max) {
      throw new MillraceError(
        'LIMIT_EXCEEDED',
        `this project already has ${max} ${what} (${limit})`,
        { limit },
      );
    }
    this.#taken.set(projectId, taken + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (this.#taken.get(projectId) ?? 1) - 1;
      if (left === 0) this.#taken.delete(projectId);
      else this.#taken.set(projectId, left);
    };
  }
}
