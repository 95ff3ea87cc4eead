/** How many seconds are shown. */
export const shownSeconds = 120;

/** One second, or the part of it that has passed. */
interface Cell {
  /** Since 1970. */
  readonly second: number;
  count: number;
  /** For how many milliseconds of it somebody has counted. */
  coveredMs: number;
}

/** Moments are sums of fractions. */
const wholeMs = 999;

/** How often something happened in each of the last seconds. Where nobody has counted is not known. */
export class Rates {
  #cells: readonly Cell[] = [];
  #reachedMs = 0;
  #isCounting = false;

  /** From now on it is counted: where nothing is added, nothing happened. @param nowMs milliseconds since 1970; never goes back */
  start(nowMs: number): void {
    this.#reach(nowMs);
    this.#isCounting = true;
  }

  stop(nowMs: number): void {
    this.#reach(nowMs);
    this.#isCounting = false;
  }

  add(count: number, nowMs: number): void {
    this.#reach(nowMs);
    const running = this.#cells.at(-1);
    if (running !== undefined) running.count += count;
  }

  /** So often it happened between two moments; when exactly is not known. */
  spread(count: number, fromMs: number, toMs: number): void {
    this.#reach(toMs);
    this.#cover(count, fromMs, toMs);
  }

  /** Whole seconds since 1970 and what happened in each, the running one left out; null: that is not known. */
  series(nowMs: number): [seconds: number[], counts: (number | null)[]] {
    this.#reach(nowMs);
    const whole = this.#cells.slice(0, -1);
    return [
      whole.map(({ second }) => second),
      whole.map(({ count, coveredMs }) => (coveredMs < wholeMs ? null : count)),
    ];
  }

  /** Per second, on average of what is known of the last five whole ones; undefined: nothing is. */
  recent(nowMs: number): number | undefined {
    const last = this.series(nowMs)[1].slice(-5);
    const known = last.filter((count) => count !== null);
    if (known.length === 0) return undefined;
    return known.reduce((sum, count) => sum + count, 0) / known.length;
  }

  #reach(nowMs: number): void {
    const now = Math.floor(nowMs / 1_000);
    const last = this.#cells.at(-1)?.second ?? Number.NEGATIVE_INFINITY;
    const added: Cell[] = [];
    for (let second = Math.max(last + 1, now - shownSeconds); second <= now; second++) {
      added.push({ second, count: 0, coveredMs: 0 });
    }
    if (added.length > 0) this.#cells = [...this.#cells, ...added].slice(-shownSeconds - 1);
    if (this.#isCounting) this.#cover(0, this.#reachedMs, nowMs);
    this.#reachedMs = nowMs;
  }

  #cover(count: number, fromMs: number, toMs: number): void {
    for (const cell of this.#cells) {
      const startMs = cell.second * 1_000;
      const partMs = Math.min(toMs, startMs + 1_000) - Math.max(fromMs, startMs);
      if (partMs <= 0) continue;
      cell.count += (count * partMs) / (toMs - fromMs);
      cell.coveredMs += partMs;
    }
  }
}
