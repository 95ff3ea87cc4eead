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

/** The steps that are shown: the last half hour, or from the first event on; the one under way is not over. */
export function shownSteps(all: readonly Counts[], nowMs: number): { first: number; end: number } {
  const end = Math.floor(nowMs / stepMs);
  const begun = all.flatMap((counts) => Object.keys(counts).map(Number));
  const oldest = end - keptSteps;
  const begins = begun.reduce((first, step) => Math.min(first, Math.max(step, oldest)), end);
  // Before that it is not known how many there were in a minute.
  return { first: Math.min(begins + stepsPerMinute, end - stepsPerMinute), end };
}

/** How many there were in the minute before each of the steps, with their times in seconds. */
export function perMinute(
  counts: Counts,
  { first, end }: { readonly first: number; readonly end: number },
): { at: number[]; count: number[] } {
  const at: number[] = [];
  const count: number[] = [];
  for (let step = first; step < end; step += 1) {
    let sum = 0;
    for (let back = 0; back < stepsPerMinute; back += 1) sum += counts[step - back] ?? 0;
    at.push(((step + 1) * stepMs) / 1_000);
    count.push(sum);
  }
  return { at, count };
}
