import { type Clock, systemClock, type Timer } from '../../src/core/clock.ts';

/**
 * The system's clock, of which a test can hold the time up: for servers that must not take note of how long a busy
 * machine takes for something. Written records are then as old as they say, and what ends in 2 s has not ended before
 * the test is ready for it.
 */
export class HeldClock implements Clock {
  readonly #latestMs: () => number;
  #heldAtMs = 0;
  #holds = 0;
  /** Timers that came to their end while the time stood still. */
  readonly #waiting = new Set<() => void>();

  /** @param latestMs beyond which it does not go at the moment; must never go back. @default it goes on */
  constructor(latestMs: () => number = () => Number.POSITIVE_INFINITY) {
    this.#latestMs = latestMs;
  }

  now(): number {
    if (this.#holds > 0) return this.#heldAtMs;
    return Math.min(systemClock.now(), this.#latestMs());
  }

  schedule(delayMs: number, fire: () => void): Timer {
    const dueMs = this.now() + delayMs;
    const look = (): void => {
      this.#waiting.delete(look);
      const restMs = dueMs - this.now();
      if (restMs <= 0) fire();
      else if (this.#holds > 0) this.#waiting.add(look);
      else timer = systemClock.schedule(restMs, look);
    };
    let timer = systemClock.schedule(delayMs, look);
    return {
      cancel: () => {
        timer.cancel();
        this.#waiting.delete(look);
      },
    };
  }

  /** The time stands still while it runs, and then is what it would be. Others may hold it at the same time. */
  async during<T>(run: () => Promise<T>): Promise<T> {
    if (this.#holds === 0) this.#heldAtMs = this.now();
    this.#holds += 1;
    try {
      return await run();
    } finally {
      this.#holds -= 1;
      if (this.#holds === 0) for (const look of this.#waiting) look();
    }
  }
}
