import { MillraceError } from '../../core/errors.ts';
import { PerProject } from '../../hub/per-project.ts';

export interface AnswersOptions {
  /** Queries of one project that may be under way at a time, over whatever connections. */
  readonly maxQueriesPerProject: number;
  /** Bytes of answers that the clients of one project may leave untaken. */
  readonly maxBytesPerProject: number;
}

/**
 * Answers to queries, from their being asked for to their being taken. Unlike what subscriptions send, they cannot be
 * dropped and read again later: where there is too much of them, further ones are refused.
 */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #queries: PerProject;
  readonly #bytes = new Map<string, number>();

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#queries = new PerProject({
      max: options.maxQueriesPerProject,
      what: 'queries under way',
      limit: 'limits.queriesPerProject',
    });
  }

  /** Bytes of answers that have not been taken, of each project that has any. */
  get bytesByProject(): ReadonlyMap<string, number> {
    return this.#bytes;
  }

  /**
   * A query begins. It is under way until the returned function is called, also when its client has gone.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`: the project has as many as it may have
   */
  begin(projectId: string): () => void {
    return this.#queries.take(projectId);
  }

  /** @throws {MillraceError} `LIMIT_EXCEEDED`: with an answer of so many bytes more would wait than may */
  assertRoom(projectId: string, bytes: number): void {
    const { maxBytesPerProject: max } = this.#options;
    const waiting = this.#bytes.get(projectId) ?? 0;
    if (waiting + bytes <= max) return;
    const limit = 'limits.answerBytesPerProject';
    throw new MillraceError(
      'LIMIT_EXCEEDED',
      `this answer has ${bytes} bytes, and ${waiting} bytes of this project's answers have not been taken; together they may be ${max} (${limit}): take those first, or ask for less`,
      { limit },
    );
  }

  /** An answer is on its way. @returns to be called once, when it has been taken or its client has gone */
  send(projectId: string, bytes: number): () => void {
    this.#add(projectId, bytes);
    return () => this.#add(projectId, -bytes);
  }

  #add(projectId: string, bytes: number): void {
    const now = (this.#bytes.get(projectId) ?? 0) + bytes;
    if (now === 0) this.#bytes.delete(projectId);
    else this.#bytes.set(projectId, now);
  }
}
