/** How long a bucket of samples is, by the server's clock. Two are kept. */
const bucketMs = 60_000;

/**
 * How far the server's clock may be ahead of the broker's: the smallest difference seen lately between
 * the time a record was received and the broker's time in it. Delay can only enlarge that difference, so
 * the smallest one is the best upper bound of how far the clocks differ, and `serverTime - boundMs` is
 * never later than the broker's clock at that time by more than the shortest delay seen.
 *
 * The minimum is taken over the current and the former bucket of a minute, so that it follows a clock
 * that is set. Buckets turn with a sample only: a quiet topic keeps its last ones.
 */
export class ClockSkew {
  #bucketEndMs = Number.NEGATIVE_INFINITY;
  #smallestMs = Number.POSITIVE_INFINITY;
  #formerMs = Number.POSITIVE_INFINITY;

  /** 0 before the first sample. */
  get boundMs(): number {
    const boundMs = Math.min(this.#smallestMs, this.#formerMs);
    return boundMs === Number.POSITIVE_INFINITY ? 0 : boundMs;
  }

  sample(receivedAtMs: number, recordedAtMs: number): void {
    if (receivedAtMs >= this.#bucketEndMs) {
      this.#bucketEndMs = receivedAtMs + bucketMs;
      this.#formerMs = this.#smallestMs;
      this.#smallestMs = Number.POSITIVE_INFINITY;
    }
    const differenceMs = receivedAtMs - recordedAtMs;
    if (differenceMs < this.#smallestMs) this.#smallestMs = differenceMs;
  }

  /** The server's clock was set back: it is less far ahead by so many milliseconds. */
  setBack(byMs: number): void {
    this.#bucketEndMs -= byMs;
    this.#smallestMs -= byMs;
    this.#formerMs -= byMs;
  }
}
