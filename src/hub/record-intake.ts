import type { Clock } from '../core/clock.ts';
import type { DeadLetter, Event } from '../decode/event.ts';
import type { RawRecord, RecordBatch, UnreadableRange } from '../kafka/port.ts';
import type { JoinPoints } from './join-points.ts';
import type { ReadProgress } from './read-progress.ts';

/** Makes one record an event, or a dead letter if that is impossible. Never throws. */
export type Decode = (partition: number, record: RawRecord) => Event | DeadLetter;

export interface RecordIntakeOptions {
  readonly decode: Decode;
  /** From which offset on records are for the streams. */
  readonly progress: Pick<ReadProgress, 'fromOf'>;
  /** What nobody is subscribed for, as it was recorded before. */
  readonly joins: Pick<JoinPoints, 'precedeAll'>;
  readonly onDeadLetter: (deadLetter: DeadLetter) => void;
  readonly clock: Clock;
}

/**
 * So many records are decoded and handed on at a time, to be found still in the processor's cache. A sequencer looks at
 * as many together.
 */
const recordsTogether = 128;

/**
 * What becomes of the records of a feed: events, and dead letters in the order of their offsets, as whoever goes on
 * behind one has all that lies before it behind it. What lies before the start is decoded for its ids only.
 */
export class RecordIntake {
  readonly #options: RecordIntakeOptions;
  #received = 0;

  constructor(options: RecordIntakeOptions) {
    this.#options = options;
  }

  /** Records from the start on that somebody is subscribed for. */
  get received(): number {
    return this.#received;
  }

  /** Decodes each record once. @param onEvents called with some of the batch's events at a time, in order */
  take(
    { partition, records, unreadable: ranges = [] }: RecordBatch,
    onEvents: (events: readonly Event[]) => void,
  ): void {
    const unreadable = [...ranges];
    for (let from = 0; from < records.length; from += recordsTogether) {
      onEvents(this.#eventsOf(partition, records.slice(from, from + recordsTogether), unreadable));
    }
    for (const range of unreadable) this.#report(partition, range);
  }

  /** @param unreadable in order; what lies before one of the records is taken out and told */
  #eventsOf(
    partition: number,
    records: readonly RawRecord[],
    unreadable: UnreadableRange[],
  ): Event[] {
    const events: Event[] = [];
    let range = unreadable[0];
    for (const record of records) {
      while (range !== undefined && range.from < record.offset) {
        this.#report(partition, range);
        unreadable.shift();
        range = unreadable[0];
      }
      const event = this.#eventOf(partition, record);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  /** Undefined: nobody wants it, or it is a dead letter, which has been dealt with. */
  #eventOf(partition: number, record: RawRecord): Event | undefined {
    const { decode, progress, joins, onDeadLetter } = this.#options;
    const { offset, timestampMs } = record;
    const isBeforeStart = offset < progress.fromOf(partition);
    if (!isBeforeStart) {
      if (joins.precedeAll(partition, offset, timestampMs)) return undefined;
      this.#received += 1;
    }
    const decoded = decode(partition, record);
    if (decoded.kind === 'event') return decoded;
    if (!isBeforeStart) onDeadLetter(decoded);
    return undefined;
  }

  /** Tells of records that could not be taken out of their batch. */
  #report(partition: number, { from, to, reason }: UnreadableRange): void {
    const { progress, onDeadLetter, clock } = this.#options;
    if (to <= progress.fromOf(partition)) return;
    onDeadLetter({
      kind: 'deadLetter',
      event: '',
      error: `offsets ${from} to ${to - 1} cannot be read: ${reason}`,
      source: 'BRIDGE',
      partition,
      offset: from,
      lastOffset: to - 1,
      // When they were recorded cannot be read either.
      recordedAtMs: clock.now(),
    });
  }
}
