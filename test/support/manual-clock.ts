import type { Clock, Timer } from '../../src/core/clock.ts';

interface PendingTimer {
  readonly atMs: number;
  readonly fire: () => void;
}

/**
 * A clock that stands still until a test moves it. Timers fire in the order of their time (those of
 * one moment in the order they were set), each with `now()` at its own moment.
 */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #pending = new Set<PendingTimer>();

  /** @param startMs milliseconds since 1970. @default 2025-01-01T00:00:00Z */
  constructor(startMs = Date.UTC(2025, 0, 1)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#pending.size;
  }

  schedule(delayMs: number, fire: () => void): Timer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), fire };
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }

  /**
   * Lets the time pass. Before the first timer, and after each one, everything that is ready to run
   * runs: promises, immediates, and timers that they set within the time that passes.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
      await settle();
    }
    this.#nowMs = endMs;
  }

  /** Moves the time without firing anything: a process that was suspended, a wall clock that was set. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  #next(endMs: number): PendingTimer | undefined {
    let next: PendingTimer | undefined;
    for (const timer of this.#pending) {
      if (timer.atMs <= endMs && (!next || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }
}

/**
 * Lets promises and immediates run, and those that they cause in turn.
 *
 * @param turns of the event loop; more than any chain of immediates between two timers is long
 */
export async function settle(turns = 8): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
