import type { Clock, Timer } from '../core/clock.ts';

/** Calls all who want it at a steady interval: one timer for however many. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #beats = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#arm();
  }

  /** @returns the function that stops it for this one */
  add(beat: () => void): () => void {
    this.#beats.add(beat);
    return () => this.#beats.delete(beat);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#clock.schedule(this.#intervalMs, () => {
      for (const beat of this.#beats) beat();
      this.#arm();
    });
  }
}
