import type { Event } from '../decode/event.ts';
import { Bucket, type SlotOrder } from './bucket.ts';
import { HeldEvents, none, type Place } from './held-events.ts';
import type { OrderKey } from './order-key.ts';

/** Emptied buckets that are kept for use, and the most slots that such a one may have room for. */
const spareBuckets = 64;
const spareCapacity = 1_024;

/** What the order goes by first: the clamped time (TIMESTAMP), or the value alone (SEQUENCE). */
export type RankedBy = 'time' | 'value';

/**
 * The events that wait for their turn, by order key.
 *
 * They lie in buckets, each for a stretch of ranks, and a bucket is sorted only when the release comes to
 * it: most events are so ordered among the few of their bucket, which are then in the cache, and not
 * among all. (As in a calendar queue: R. Brown, CACM 31 (10), 1988. Here buckets are numbered without end
 * and only those that hold something exist, so that it matters not how far apart the ranks are.) The
 * bucket with the smallest ranks is the first of a binary heap.
 */
export class OrderingBuffer {
  /** What is held. To be read only. */
  readonly held = new HeldEvents();
  readonly #rankedBy: RankedBy;
  readonly #order: SlotOrder;
  readonly #buckets = new Map<number, Bucket>();
  /** A binary heap, by number. None is empty. */
  readonly #heap: Bucket[] = [];
  readonly #spare: Bucket[] = [];
  /** The bucket that was added to last: the next event is likely to belong there too. */
  #recent: Bucket | null = null;

  /** @param bucketWidth by how much the ranks of one bucket differ at the most, above 0 */
  constructor(rankedBy: RankedBy, bucketWidth: number) {
    this.#rankedBy = rankedBy;
    const { held } = this;
    this.#order = {
      width: bucketWidth,
      fetch: (slots, from, to) => held.fetchSlots(slots, from, to),
      rank: (slot) => held.rank(slot),
      compare: (a, b) => held.rank(a) - held.rank(b) || this.#compareTied(a, b),
    };
  }

  /** The slot with the smallest key, or `none`. */
  get head(): number {
    return this.headBelow(Number.POSITIVE_INFINITY);
  }

  /** The slot with the smallest key if its rank is below this, else `none`. */
  headBelow(rank: number): number {
    const [bucket] = this.#heap;
    if (bucket === undefined || bucket.number * this.#order.width >= rank) return none;
    const slot = bucket.first(this.#order);
    return this.held.rank(slot) < rank ? slot : none;
  }

  /** The order key of a held event. */
  key(slot: number): OrderKey {
    const words = new Int32Array(4);
    this.held.readWords(slot, words);
    return keyOf(this.#rankedBy, this.held.rank(slot), words, this.held.event(slot));
  }

  /**
   * Holds an event.
   *
   * @param indexed see `HeldEvents.add`
   * @returns its slot
   */
  hold(event: Event, place: Place, late: boolean, indexed: boolean): number {
    const slot = this.held.add(event, place, late, indexed);
    const number = this.#numberOf(place.rank);
    if (this.#recent?.number !== number) this.#recent = this.#bucket(number);
    this.#recent.add(slot, this.#order);
    return slot;
  }

  /** Takes out the event in `head`, which must have been asked for. */
  removeHead(): void {
    const [bucket] = this.#heap;
    if (bucket === undefined) return;
    this.held.remove(bucket.first(this.#order));
    bucket.takeFirst();
    if (bucket.size === 0) this.#drop(bucket);
  }

  /** Takes out any event. Meant for few: it looks for it in its bucket. */
  remove(slot: number): void {
    const bucket = this.#bucket(this.#numberOf(this.held.rank(slot)));
    bucket.remove(slot);
    this.held.remove(slot);
    if (bucket.size === 0) this.#drop(bucket);
  }

  #numberOf(rank: number): number {
    return Math.floor(rank / this.#order.width);
  }

  #bucket(number: number): Bucket {
    const known = this.#buckets.get(number);
    if (known !== undefined) return known;
    const bucket = this.#spare.pop() ?? new Bucket();
    bucket.begin(number);
    this.#buckets.set(number, bucket);
    this.#rise(this.#heap.length, bucket);
    return bucket;
  }

  #drop(bucket: Bucket): void {
    if (this.#recent === bucket) this.#recent = null;
    this.#buckets.delete(bucket.number);
    const heap = this.#heap;
    const place = heap[0] === bucket ? 0 : heap.indexOf(bucket);
    const last = heap.pop();
    if (last !== undefined && last !== bucket) {
      // The last one fills the gap; it may belong above as well as below.
      const parent = heap[(place - 1) >> 1];
      if (place > 0 && parent !== undefined && last.number < parent.number) this.#rise(place, last);
      else this.#sink(place, last);
    }
    if (this.#spare.length < spareBuckets && bucket.capacity <= spareCapacity) {
      this.#spare.push(bucket);
    }
  }

  #rise(from: number, bucket: Bucket): void {
    const heap = this.#heap;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.number <= bucket.number) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = bucket;
  }

  #sink(from: number, bucket: Bucket): void {
    const heap = this.#heap;
    let place = from;
    for (;;) {
      const left = heap[place * 2 + 1];
      const right = heap[place * 2 + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && right.number < left.number;
      const least = isRight ? right : left;
      if (least.number >= bucket.number) break;
      heap[place] = least;
      place = place * 2 + (isRight ? 2 : 1);
    }
    heap[place] = bucket;
  }

  /** As `compareOrderKeys` those of one rank. Makes no keys: all events of a second may bear one time. */
  #compareTied(a: number, b: number): number {
    const eventA = this.held.event(a);
    const eventB = this.held.event(b);
    const valueA = valueOf(this.#rankedBy, eventA);
    const valueB = valueOf(this.#rankedBy, eventB);
    if (valueA < valueB) return -1;
    if (valueA > valueB) return 1;
    return (
      this.held.compareWords(a, b) ||
      eventA.partition - eventB.partition ||
      eventA.offset - eventB.offset
    );
  }
}

/** The order key of an event, by its place. */
export function keyOf(
  rankedBy: RankedBy,
  rank: number,
  [w0 = 0, w1 = 0, w2 = 0, w3 = 0]: Int32Array,
  event: Event,
): OrderKey {
  return {
    time: rankedBy === 'time' ? rank : 0,
    value: valueOf(rankedBy, event),
    id: [w0, w1, w2, w3],
    partition: event.partition,
    offset: event.offset,
  };
}

function valueOf(rankedBy: RankedBy, event: Event): number | bigint {
  return rankedBy === 'time' ? event.timestampUs : (event.sequence ?? 0);
}
