/** Bounds how many logins are under way, and how many wait for their turn (first come, first served). */
export class LoginGate {
  readonly #maxConcurrent: number;
  readonly #maxQueued: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(bounds: { readonly maxConcurrent: number; readonly maxQueued: number }) {
    this.#maxConcurrent = bounds.maxConcurrent;
    this.#maxQueued = bounds.maxQueued;
  }

  /** Nothing more can wait: `run` would have to be refused. */
  get full(): boolean {
    return this.#running >= this.#maxConcurrent && this.#queue.length >= this.#maxQueued;
  }

  /** Runs the task when its turn has come. Not to be called while `full`. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#maxConcurrent) {
      // Whoever finishes hands its place on, so `running` stays as it is.
      await new Promise<void>((proceed) => this.#queue.push(proceed));
    } else {
      this.#running += 1;
    }
    try {
      return await task();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
