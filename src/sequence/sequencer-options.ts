import type { Clock } from '../core/clock.ts';
import type { Event } from '../decode/event.ts';
import type { IdKeySource } from './dedup/id-digest.ts';
import type { EventOrder } from './order.ts';
import type { ResumePoint } from './position.ts';

export interface SequencerOptions {
  readonly order: EventOrder;
  /** False: every record is delivered, copies too. */
  readonly deduplicate: boolean;
  /** L: how long an event waits for others that belong before it. */
  readonly latenessMs: number;
  /** A: how far an event's own time may be ahead of the broker's, and that ahead of the clock. @default 1_000 */
  readonly maxAdvanceMs?: number;
  /** How far apart, in broker time, two copies of an event may be to be told as such. */
  readonly dedupWindowMs: number;
  /** Most bytes for the ids of that window, at least 1 MiB; the window is cut short where they do not suffice. */
  readonly maxDedupBytes: number;
  /** Most held events, as the length of their JSON texts. Past it events are released early. */
  readonly maxHeldBytes: number;
  /** After how long without an answer a partition no longer holds back the others. @default 10_000 */
  readonly maxStallMs?: number;
  /** A secret of 32 bytes, the same on all instances: see `IdDigester`. */
  readonly idKey: IdKeySource;
  /** Asked for the time only. */
  readonly clock: Clock;
  /**
   * Called for each event in turn, synchronously. `position()` is then the position of its cursor, and
   * `keyUnderWay()` its key. It must not call anything else of the sequencer.
   */
  readonly emit: (event: Event, late: boolean) => void;
  /**
   * Called for each record that is dropped as a copy, synchronously, once: when it is read, or when
   * another copy takes its place in the buffer. Also while a resumed stream reads again. `keyUnderWay()`
   * is then its key; it must not call anything else of the sequencer.
   */
  readonly onCopy?: (event: Event) => void;
  /**
   * Where a stream goes on that was at this position. Each of its partitions must be added, at V or
   * before it. Until all of them have been read up to R again nothing is emitted, as only then it is
   * known what is a copy; `maxHeldBytes` is meanwhile kept by pausing `partitionsAhead` only.
   */
  readonly resumeFrom?: ResumePoint;
}
