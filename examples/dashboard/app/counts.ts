/** The width of what is counted together, in milliseconds. */
export const stepMs = 10_000;
/** How many of those are kept: 30 minutes, and a minute to count the first of them. */
const keptSteps = 186;
const stepsPerMinute = 60_000 / stepMs;

/** Events by their own time, in steps since 1970. */
export type Counts = Readonly<Record<string, number>>;

export function counted(counts: Counts, timestamp: string): Counts {
  const step = Math.floor(Date.parse(timestamp) / stepMs);
  return { ...counts, [step]: (counts[step] ?? 0) + 1 };
}

/** Without what nobody is shown any more. */
export function trimmed(counts: Counts, nowMs: number): Counts {
  const oldest = Math.floor(nowMs / stepMs) - keptSteps;
  return Object.fromEntries(Object.entries(counts).filter(([step]) => Number(step) >= oldest));
}

/** How many there were in the minute before each step that is over, the oldest first. */
export function perMinute(counts: Counts, nowMs: number): { at: number[]; count: number[] } {
  const last = Math.floor(nowMs / stepMs);
  const at: number[] = [];
  const count: number[] = [];
  for (let step = last - keptSteps + stepsPerMinute; step < last; step += 1) {
    let sum = 0;
    for (let back = 0; back < stepsPerMinute; back += 1) sum += counts[step - back] ?? 0;
    at.push(((step + 1) * stepMs) / 1_000);
    count.push(sum);
  }
  return { at, count };
}

/** How many there were in the last minute. */
export function lastMinute(counts: Counts, nowMs: number): number {
  return perMinute(counts, nowMs).count.at(-1) ?? 0;
}
