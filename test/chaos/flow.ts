import { RunningTime } from '../support/running-time.ts';

/** How long nothing came, at the most. Kafka is not to blame for the time in which the machine stood still. */
export class Flow {
  longestSilenceMs = 0;
  readonly #time = new RunningTime();
  #lastMs = 0;

  came(): void {
    const nowMs = this.#time.ms;
    this.longestSilenceMs = Math.max(this.longestSilenceMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}
