import type { Ending, Item } from './transport.ts';

interface Waiter {
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** How a transport's connection is handled from outside. */
export interface Control {
  /** Takes nothing more of what the server sends. */
  stall(): void;
  /** Goes on taking it. */
  resume(): void;
  /** Hangs up. */
  stop(): void;
}

/** What a subscription brought so far, and what it ended with. */
export class Reception {
  readonly items: Item[] = [];
  readonly #control: Control;
  readonly #ended = Promise.withResolvers<Ending>();
  readonly #waiting = new Set<Waiter>();
  #ending: Ending | undefined;

  constructor(control: Control) {
    this.#control = control;
  }

  /** Resolves when it has ended. */
  get ended(): Promise<Ending> {
    return this.#ended.promise;
  }

  /** Resolves when there are `count` items; rejects when it ends before. */
  async atLeast(count: number): Promise<readonly Item[]> {
    if (this.items.length < count) {
      if (this.#ending !== undefined) throw this.#endedBefore(count);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const waiter = { count, resolve, reject };
      this.#waiting.add(waiter);
      await promise.finally(() => this.#waiting.delete(waiter));
    }
    return this.items;
  }

  stall(): void {
    this.#control.stall();
  }

  resume(): void {
    this.#control.resume();
  }

  stop(): void {
    this.#control.stop();
  }

  /** For the transport: one more has come. */
  take(item: Item): void {
    this.items.push(item);
    for (const { count, resolve } of this.#waiting) if (this.items.length >= count) resolve();
  }

  /** For the transport: the first ending counts. */
  end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#ended.resolve(ending);
    for (const { count, reject } of this.#waiting) reject(this.#endedBefore(count));
  }

  #endedBefore(count: number): Error {
    const seen = `${this.items.length} items, ended with ${JSON.stringify(this.#ending)}`;
    return new Error(`waited for ${count}: ${seen}`);
  }
}
