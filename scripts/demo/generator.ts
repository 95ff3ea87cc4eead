import type { Collection } from './collections.ts';
import { Random } from './random.ts';
import type { DemoContent, DemoEvent, DemoRecord, RecordPlan } from './record.ts';

/** How far from orderly a stream is. Shares are of its events, 0 to 1. */
export interface Disorder {
  /** Recorded late, but within the lateness. @default 0.2 */
  readonly delayedShare?: number;
  /** The longest such delay, in milliseconds. @default 1_500 */
  readonly maxDelayMs?: number;
  /** Recorded later than the lateness allows. @default 0.001 */
  readonly lateShare?: number;
  /** What the subscribers' order waits, in milliseconds; above `maxDelayMs`. @default 2_000 */
  readonly latenessMs?: number;
  /** Recorded a second time. @default 0.05 */
  readonly duplicateShare?: number;
  /** The longest time between the two, in milliseconds. @default 3_000 */
  readonly maxDuplicateGapMs?: number;
  /** Of the duplicates: those that carry a later time of their own. @default 0.1 */
  readonly retimedShare?: number;
  /** So many dead letters come beside. @default 0.02 */
  readonly deadLetterShare?: number;
  /** So many records that are no JSON come beside. @default 0.002 */
  readonly unparsableShare?: number;
}

export interface StreamOptions {
  readonly collection: Collection;
  /** Kafka's name of the topic. */
  readonly topic: string;
  /** Kafka's name of its dead-letter topic. */
  readonly deadLetterTopic: string;
  /** The same seed, topic, and options: the same records. */
  readonly seed: number;
  /** The time of the first event, in milliseconds since 1970. */
  readonly startMs: number;
  /** On average; at most 100_000. @default the collection's */
  readonly eventsPerSecond?: number;
  /** Of both topics. @default 9 */
  readonly partitions?: number;
  /** How many events; duplicates and what comes beside them is more. @default endless */
  readonly events?: number;
  readonly disorder?: Disorder;
}

const defaultDisorder: Required<Disorder> = {
  delayedShare: 0.2,
  maxDelayMs: 1_500,
  lateShare: 0.001,
  latenessMs: 2_000,
  duplicateShare: 0.05,
  maxDuplicateGapMs: 3_000,
  retimedShare: 0.1,
  deadLetterShare: 0.02,
  unparsableShare: 0.002,
};
/** A late event is recorded after the lateness by at least and at most so many milliseconds. */
const lateByMs = { least: 500, most: 3_000 };
const refusals = [
  'The event is not valid JSON: unexpected end of input.',
  'keen.timestamp is not an ISO 8601 time.',
  'The property name "$amount" begins with a dollar sign.',
] as const;

type Unplaced = DemoContent & Pick<DemoRecord, 'topic' | 'timestampMs' | 'value'>;

/**
 * The records of one topic and its dead-letter topic: a pure function of its options.
 *
 * Events happen one after the other, numbered without gaps, no two at the same microsecond. Each is
 * recorded at its own time or some delay later, so that the records, taken in the order of their
 * record times, hold the events out of order. Records go to partitions round robin.
 *
 * Of an event's two copies the first one recorded has the earlier time and the smaller order key, so
 * that it alone is what a subscriber sees, wherever the other one lies.
 */
export class EventStream implements RecordPlan {
  readonly #options: Required<Omit<StreamOptions, 'disorder'>>;
  readonly #disorder: Required<Disorder>;
  readonly #random: Random;
  readonly #sender: string;
  /** By record time. Whole as far as the next event's time: nothing is recorded before it happens. */
  readonly #scheduled: Unplaced[] = [];
  readonly #roundRobin = new Map<string, number>();
  #nextEventUs: number;
  #lastEventUs = 0;
  #sequence = 0;

  constructor(options: StreamOptions) {
    this.#options = {
      eventsPerSecond: options.collection.eventsPerSecond,
      partitions: 9,
      events: Number.POSITIVE_INFINITY,
      ...options,
    };
    this.#disorder = { ...defaultDisorder, ...options.disorder };
    this.#random = new Random(`${options.seed} ${options.topic}`);
    this.#sender = this.#random.hex(10);
    this.#nextEventUs = options.startMs * 1_000;
  }

  get nextMs(): number {
    return this.#first()?.timestampMs ?? Number.POSITIVE_INFINITY;
  }

  next(): DemoRecord {
    const first = this.#first();
    if (first === undefined) throw new RangeError('the stream has ended');
    this.#scheduled.shift();
    const placed = this.#roundRobin.get(first.topic) ?? 0;
    this.#roundRobin.set(first.topic, placed + 1);
    return { ...first, partition: placed % this.#options.partitions };
  }

  skipTo(timestampMs: number): void {
    this.#scheduled.length = 0;
    this.#nextEventUs = Math.max(this.#nextEventUs, timestampMs * 1_000);
  }

  #first(): Unplaced | undefined {
    while (this.#sequence < this.#options.events) {
      const [first] = this.#scheduled;
      if (first !== undefined && first.timestampMs * 1_000 <= this.#nextEventUs) return first;
      this.#happen();
    }
    return this.#scheduled[0];
  }

  /** One event, with all its records and what comes beside it. */
  #happen(): void {
    const { collection, topic, deadLetterTopic } = this.#options;
    const disorder = this.#disorder;
    const properties = collection.properties(this.#random);
    const event = this.#nextEvent();
    const happenedMs = Math.ceil(event.timestampUs / 1_000);
    const recordedMs = happenedMs + this.#delayMs(event);
    const created = new Date(recordedMs).toISOString();
    const text = (timestamp: string) =>
      JSON.stringify({
        keen: { id: event.id, timestamp, created_at: created },
        sequence_number: event.sequence,
        ...properties,
      });
    const value = text(event.timestamp);
    this.#schedule({ topic, timestampMs: recordedMs, value, kind: 'event', event, copy: 0 });

    if (this.#random.chance(disorder.duplicateShare)) {
      const againMs = recordedMs + this.#random.integer(0, disorder.maxDuplicateGapMs);
      const retimedMs = this.#random.integer(happenedMs, againMs);
      const copy = this.#random.chance(disorder.retimedShare)
        ? text(new Date(retimedMs).toISOString())
        : value;
      this.#schedule({ topic, timestampMs: againMs, value: copy, kind: 'event', event, copy: 1 });
    }
    if (this.#random.chance(disorder.unparsableShare)) {
      const half = this.#truncated(properties);
      this.#schedule({ topic, timestampMs: happenedMs, value: half, kind: 'unparsable' });
    }
    if (this.#random.chance(disorder.deadLetterShare)) {
      const error = this.#random.pick(refusals);
      const refused =
        error === refusals[0] ? this.#truncated(properties) : JSON.stringify(properties);
      const letter = { event: refused, error };
      this.#schedule({
        topic: deadLetterTopic,
        timestampMs: happenedMs,
        value: JSON.stringify(letter),
        kind: 'deadLetter',
        ...letter,
      });
    }
  }

  #nextEvent(): DemoEvent {
    const { eventsPerSecond } = this.#options;
    const intervalUs = 1_000_000 / eventsPerSecond;
    const chance = this.#random.unit();
    const { delayedShare, lateShare } = this.#disorder;
    // Events closer than this could not be told apart by milliseconds.
    const fine = intervalUs < 2_000 || this.#random.chance(0.3);
    const unitUs = fine ? 1 : 1_000;
    const atUs = Math.max(this.#nextEventUs, this.#lastEventUs + 1);
    const timestampUs = Math.ceil(atUs / unitUs) * unitUs;
    this.#lastEventUs = timestampUs;
    this.#nextEventUs = Math.max(
      timestampUs,
      this.#nextEventUs + intervalUs * this.#random.between(0.5, 1.5),
    );
    this.#sequence += 1;
    return {
      id: this.#id(timestampUs),
      sequence: this.#sequence,
      timestamp: isoText(timestampUs, fine),
      timestampUs,
      late: chance < lateShare,
      delayed: chance >= lateShare && chance < lateShare + delayedShare,
    };
  }

  /** As MongoDB's ObjectId: seconds, sender, count; so that no two are alike. */
  #id(timestampUs: number): string {
    const seconds = Math.floor(timestampUs / 1_000_000);
    const count = this.#sequence % 0x1_00_00_00;
    return `${hex(seconds, 8)}${this.#sender}${hex(count, 6)}`;
  }

  #delayMs({ late, delayed }: DemoEvent): number {
    const { latenessMs, maxDelayMs } = this.#disorder;
    if (late) return latenessMs + this.#random.integer(lateByMs.least, lateByMs.most);
    return delayed ? this.#random.integer(1, maxDelayMs) : 0;
  }

  #truncated(properties: unknown): string {
    const text = JSON.stringify(properties);
    return text.slice(0, this.#random.integer(2, text.length - 1));
  }

  /** Behind those of the same time. */
  #schedule(record: Unplaced): void {
    let from = 0;
    let to = this.#scheduled.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const before = this.#scheduled[middle]?.timestampMs ?? Number.POSITIVE_INFINITY;
      if (before <= record.timestampMs) from = middle + 1;
      else to = middle;
    }
    this.#scheduled.splice(from, 0, record);
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function isoText(us: number, fine: boolean): string {
  const text = new Date(Math.floor(us / 1_000)).toISOString();
  return fine ? `${text.slice(0, -1)}${String(us % 1_000).padStart(3, '0')}Z` : text;
}
