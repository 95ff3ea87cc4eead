import type { Clock, Timer } from '../core/clock.ts';

export interface StallWatchOptions {
  readonly clock: Clock;
  /** After how long without an answer a partition no longer holds back the others, in milliseconds. */
  readonly maxStallMs: number;
  /** Whether answers are asked for, and events wait in an ordering buffer. */
  readonly isNeeded: () => boolean;
  /** Lets go what waits for partitions that have stalled. */
  readonly look: () => void;
}

/**
 * How often held events are looked at when no answers come, in milliseconds; at the most this part of
 * what a partition may stall.
 */
const checkMs = 1_000;
const checksPerStall = 4;

/** Without answers nobody would look at the ordering buffers: a stalled partition must not hold them for ever. */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #timer: Timer | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** To be called after each answer: from now on the time counts. */
  restart(): void {
    this.stop();
    const { clock, maxStallMs, isNeeded, look } = this.#options;
    if (!isNeeded()) return;
    this.#timer = clock.schedule(Math.min(checkMs, maxStallMs / checksPerStall), () => {
      look();
      this.restart();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
