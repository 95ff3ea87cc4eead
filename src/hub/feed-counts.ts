import type { StreamCounts } from './stream-counts.ts';

export type FeedState = 'STARTING' | 'RUNNING' | 'DEGRADED' | 'FAILED';

/** What a feed has done so far; of all its streams together. */
export interface FeedCounts extends StreamCounts {
  readonly state: FeedState;
  readonly received: number;
  readonly lag: number;
}

/** What a feed keeps in memory, of all its streams together. */
export interface FeedMemory {
  /** The JSON texts of events that wait for their place in the order. */
  readonly heldBytes: number;
  /** What was delivered and is kept for those who come back: dead letters with the topic that they are of. */
  readonly historyBytes: number;
  /** What is known of ids; undefined: no stream drops copies. */
  readonly dedup:
    | {
        readonly bytes: number;
        /** How far back copies are noticed, in milliseconds, by the stream that reaches the least far. */
        readonly coveredMs: number;
      }
    | undefined;
}
