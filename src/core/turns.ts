/**
 * Turns of the event loop, handed out one at a time in the order in which they are asked for: however many have much to
 * do, between any two of them the others of the process have theirs.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the asker's turn. It must be over before the asker waits for anything. */
  next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    if (this.#waiting.length === 1) this.#schedule();
    return promise;
  }

  #schedule(): void {
    setImmediate(() => {
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
