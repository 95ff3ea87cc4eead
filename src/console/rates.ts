/** How many seconds are shown. */
export const shownSeconds = 120;

/** How often something happened in each of the last seconds. */
export class Rates {
  #seconds: number[] = [];
  #counts: number[] = [];

  /** @param nowMs milliseconds since 1970; never goes back */
  add(count: number, nowMs: number): void {
    this.#reach(nowMs);
    this.#counts[this.#counts.length - 1] = (this.#counts.at(-1) ?? 0) + count;
  }

  /** Whole seconds since 1970 and what happened in each, the running one left out. */
  series(nowMs: number): [seconds: number[], counts: number[]] {
    this.#reach(nowMs);
    return [this.#seconds.slice(0, -1), this.#counts.slice(0, -1)];
  }

  /** Per second, on average of the last five whole ones. */
  recent(nowMs: number): number {
    const last = this.series(nowMs)[1].slice(-5);
    return last.length === 0 ? 0 : last.reduce((sum, count) => sum + count, 0) / last.length;
  }

  #reach(nowMs: number): void {
    const now = Math.floor(nowMs / 1_000);
    const from = Math.max((this.#seconds.at(-1) ?? now - shownSeconds - 1) + 1, now - shownSeconds);
    for (let second = from; second <= now; second++) {
      this.#seconds.push(second);
      this.#counts.push(0);
    }
    this.#seconds = this.#seconds.slice(-shownSeconds - 1);
    this.#counts = this.#counts.slice(-shownSeconds - 1);
  }
}
