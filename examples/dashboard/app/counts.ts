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

/** What is shown: from `first` on, up to but not including `end`. */
export interface Steps {
  /** The first of which all is known. */
  readonly known: number;
  readonly first: number;
  readonly end: number;
}

/**
 * The last half hour, or from the first event on.
 *
 * @param knownToMs up to when all is known, in milliseconds since 1970: the step then under way is not over
 */
export function shownSteps(all: readonly Counts[], knownToMs: number): Steps {
  const end = Math.floor(knownToMs / stepMs);
  const oldest = end - keptSteps;
  const begun = all.flatMap((counts) => Object.keys(counts).map(Number));
  // Of the step with the first event there may be a part only.
  const known = begun.reduce((first, step) => Math.min(first, Math.max(step, oldest)), end) + 1;
  return { known, first: Math.max(known, oldest + stepsPerMinute), end };
}

/**
 * How many there were a minute up to the end of each of the steps, with their times in seconds: in the minute before
 * it, or in as much of that as is known.
 */
export function perMinute(
  counts: Counts,
  { known, first, end }: Steps,
): { at: number[]; count: number[] } {
  const at: number[] = [];
  const count: number[] = [];
  for (let step = first; step < end; step += 1) {
    const from = Math.max(known, step - stepsPerMinute + 1);
    let sum = 0;
    for (let each = from; each <= step; each += 1) sum += counts[each] ?? 0;
    at.push(((step + 1) * stepMs) / 1_000);
    count.push(Math.round((sum * stepsPerMinute) / (step - from + 1)));
  }
  return { at, count };
}
