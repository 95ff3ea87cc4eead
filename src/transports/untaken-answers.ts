import type { ServerResponse } from 'node:http';

/** Answers to requests that their clients have not taken as a whole. */
export class UntakenAnswers {
  readonly #responses = new Set<ServerResponse>();

  /** The answer has been written, up to its end. */
  add(response: ServerResponse): void {
    if (response.writableLength === 0 || response.destroyed) return;
    this.#responses.add(response);
    response.once('close', () => this.#responses.delete(response));
  }

  /** What waits in memory. */
  get bytes(): number {
    let bytes = 0;
    for (const { writableLength } of this.#responses) bytes += writableLength;
    return bytes;
  }
}
