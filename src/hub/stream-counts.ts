/** What a stream has done so far. */
export interface StreamCounts {
  readonly subscribers: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly late: number;
  /** See `SequencerCounters`. */
  readonly releasedEarly: number;
  /** Intervals of a delivery that ended early, for each group of subscribers. */
  readonly cutIntervals: number;
  readonly held: number;
}
