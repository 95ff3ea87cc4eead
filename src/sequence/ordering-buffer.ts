import type { Event } from '../decode/event.ts';
import { HeldIndex } from './held-index.ts';
import type { OrderKey } from './order-key.ts';
import { compareOrderKeys } from './order-key.ts';

/** No slot. */
export const none = -1;

/** Bits of a slot's flags. */
const isLate = 1;
const isIndexed = 2;

/** The place of an event in the order, beside what the event itself says: see `OrderKey`. */
export interface Place {
  /** `OrderKey.time`. */
  time: number;
  /** `OrderKey.value`. */
  value: number | bigint;
  /** `OrderKey.id`: four words. */
  readonly words: Int32Array;
  /** The broker's time, from which an event waits; of one from the future, that of its receipt. */
  recordedAtMs: number;
}

/** The held events of one partition, in offset order: a doubly linked list through the slots. */
export interface HeldOfPartition {
  first: number;
  last: number;
}

/**
 * The events that wait for their turn, by order key: a 4-ary heap, smallest first. An event is held in
 * a slot, a number that stays its own until it is removed. All about a slot lies in typed arrays, so
 * that holding an event allocates nothing.
 *
 * A 4-ary heap is half as deep as a binary one and its children lie in one cache line (D. B. Johnson,
 * 1975; A. LaMarca, R. E. Ladner, "The Influence of Caches on the Performance of Heaps", 1996).
 */
export class OrderingBuffer {
  /** A power of two. */
  #capacity = 64;
  #size = 0;
  #textLength = 0;
  readonly #events: (Event | null)[] = [];
  /** Length of the JSON text, so that a release need not touch it. */
  #lengths = new Int32Array(this.#capacity);
  /** Written in SEQUENCE order only. */
  #recordedAtMs = new Float64Array(this.#capacity);
  #digests = new Int32Array(this.#capacity * 4);
  #flags = new Uint8Array(this.#capacity);
  #before = new Int32Array(this.#capacity);
  #after = new Int32Array(this.#capacity);
  /** Slot to place in the heap. */
  #heapPlaces = new Int32Array(this.#capacity);
  #heap = new Int32Array(this.#capacity);
  /** Beside `#heap`: a double that sorts as the key does, as far as it goes. */
  #ranks = new Float64Array(this.#capacity);
  readonly #rankedBy: 'time' | 'value';
  /**
   * Free slots, a ring: the one that has been free for longest is taken first. Events leave in about the
   * order in which they came, so slots are used one after the other, and what lies beside each other in
   * the arrays is used together. (Taken last in, first out, the slots would soon be shuffled, and each
   * array would cost a cache miss.)
   */
  #free = slotsFrom(0, this.#capacity, this.#capacity);
  #firstFree = 0;
  #freeCount = this.#capacity;
  readonly #index = new HeldIndex(this.#digests);

  /** @param rankedBy what the order goes by first: `value` where all times are alike (SEQUENCE) */
  constructor(rankedBy: 'time' | 'value') {
    this.#rankedBy = rankedBy;
  }

  /** Events held. */
  get size(): number {
    return this.#size;
  }

  /** Length of their JSON texts together. */
  get textLength(): number {
    return this.#textLength;
  }

  /** The slot with the smallest key, or `none`. */
  get head(): number {
    return this.#size === 0 ? none : (this.#heap[0] ?? none);
  }

  event(slot: number): Event {
    const event = this.#events[slot];
    if (event === null || event === undefined) throw new RangeError(`Nothing is held in ${slot}`);
    return event;
  }

  late(slot: number): boolean {
    return ((this.#flags[slot] ?? 0) & isLate) !== 0;
  }

  time(slot: number): number {
    return this.#rankedBy === 'time' ? (this.#ranks[this.#heapPlaces[slot] ?? 0] ?? 0) : 0;
  }

  value(slot: number): number | bigint {
    const event = this.event(slot);
    return this.#rankedBy === 'time' ? event.timestampUs : (event.sequence ?? 0);
  }

  /** The order key of the slot's event. */
  key(slot: number): OrderKey {
    const { partition, offset } = this.event(slot);
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = this.#digests.subarray(slot * 4, slot * 4 + 4);
    return {
      time: this.time(slot),
      value: this.value(slot),
      id: [w0, w1, w2, w3],
      partition,
      offset,
    };
  }

  /** `Place.recordedAtMs`, in SEQUENCE order. */
  recordedAtMs(slot: number): number {
    return this.#recordedAtMs[slot] ?? 0;
  }

  /** The next slot held of the same partition, or `none`. */
  after(slot: number): number {
    return this.#after[slot] ?? none;
  }

  /** Copies the four words of the slot's digest. */
  readWords(slot: number, into: Int32Array): void {
    const at = slot * 4;
    const digests = this.#digests;
    into[0] = digests[at] ?? 0;
    into[1] = digests[at + 1] ?? 0;
    into[2] = digests[at + 2] ?? 0;
    into[3] = digests[at + 3] ?? 0;
  }

  /** The slot that holds an event of this id (only those held with `indexed` are found), or `none`. */
  find(words: Int32Array): number {
    return this.#index.find(words);
  }

  /** Holds an event, behind all of its partition. @returns its slot */
  hold(
    event: Event,
    place: Place,
    late: boolean,
    indexed: boolean,
    ofPartition: HeldOfPartition,
  ): number {
    if (this.#freeCount === 0) this.#grow();
    const slot = this.#free[this.#firstFree] ?? 0;
    this.#firstFree = (this.#firstFree + 1) & (this.#capacity - 1);
    this.#freeCount -= 1;
    this.#write(slot, event, place, late, ofPartition);
    // One by one: `TypedArray.set` costs more than the four stores.
    const digests = this.#digests;
    const at = slot * 4;
    digests[at] = place.words[0] ?? 0;
    digests[at + 1] = place.words[1] ?? 0;
    digests[at + 2] = place.words[2] ?? 0;
    digests[at + 3] = place.words[3] ?? 0;
    if (indexed) this.#flags[slot] = (this.#flags[slot] ?? 0) | isIndexed;
    if (indexed) this.#index.add(slot);
    this.#rise(this.#size++, slot, this.#rankOf(place));
    return slot;
  }

  /** Puts a copy of the same id, with a smaller key, in the place of a held one. */
  replace(
    slot: number,
    event: Event,
    place: Place,
    late: boolean,
    from: HeldOfPartition,
    to: HeldOfPartition,
  ): void {
    const indexed = (this.#flags[slot] ?? 0) & isIndexed;
    this.#textLength -= this.#lengths[slot] ?? 0;
    this.#unlink(slot, from);
    this.#write(slot, event, place, late, to);
    this.#flags[slot] = (this.#flags[slot] ?? 0) | indexed;
    this.#rise(this.#heapPlaces[slot] ?? 0, slot, this.#rankOf(place));
  }

  /** Takes an event out. */
  remove(slot: number, ofPartition: HeldOfPartition): void {
    if (((this.#flags[slot] ?? 0) & isIndexed) !== 0) this.#index.remove(slot);
    this.#unlink(slot, ofPartition);
    this.#textLength -= this.#lengths[slot] ?? 0;
    this.#events[slot] = null;
    this.#free[(this.#firstFree + this.#freeCount) & (this.#capacity - 1)] = slot;
    this.#freeCount += 1;
    const place = this.#heapPlaces[slot] ?? 0;
    const last = --this.#size;
    if (place === last) return;
    const moved = this.#heap[last] ?? 0;
    const rank = this.#ranks[last] ?? 0;
    // The last one fills the gap; it may belong above as well as below.
    if (place > 0 && this.#precedes(rank, moved, (place - 1) >> 2)) this.#rise(place, moved, rank);
    else this.#sink(place, moved, rank);
  }

  /** Negative, zero or positive as the place of an event is before, the same as, or after the slot's. */
  compare(place: Place, event: Event, slot: number): number {
    const time = this.time(slot);
    if (place.time !== time) return place.time < time ? -1 : 1;
    const value = this.value(slot);
    if (place.value < value) return -1;
    if (place.value > value) return 1;
    return (
      compareWords(place.words, 0, this.#digests, slot * 4) ||
      compareCoordinates(event, this.event(slot))
    );
  }

  #rankOf(place: Place): number {
    // Rounding a bigint keeps the order up to ties, which `#compareTied` breaks.
    return this.#rankedBy === 'time' ? place.time : Number(place.value);
  }

  #write(
    slot: number,
    event: Event,
    place: Place,
    late: boolean,
    ofPartition: HeldOfPartition,
  ): void {
    this.#events[slot] = event;
    if (this.#rankedBy === 'value') this.#recordedAtMs[slot] = place.recordedAtMs;
    this.#flags[slot] = late ? isLate : 0;
    const { length } = event.json;
    this.#lengths[slot] = length;
    this.#textLength += length;
    this.#before[slot] = ofPartition.last;
    this.#after[slot] = none;
    if (ofPartition.last === none) ofPartition.first = slot;
    else this.#after[ofPartition.last] = slot;
    ofPartition.last = slot;
  }

  #unlink(slot: number, ofPartition: HeldOfPartition): void {
    const before = this.#before[slot] ?? none;
    const after = this.#after[slot] ?? none;
    if (before === none) ofPartition.first = after;
    else this.#after[before] = after;
    if (after === none) ofPartition.last = before;
    else this.#before[after] = before;
  }

  /** Whether a slot with this rank comes before what is at that place of the heap. */
  #precedes(rank: number, slot: number, place: number): boolean {
    const other = this.#ranks[place] ?? 0;
    if (rank !== other) return rank < other;
    return this.#compareTied(slot, this.#heap[place] ?? 0) < 0;
  }

  /** Compares two slots of equal rank. */
  #compareTied(a: number, b: number): number {
    const x = this.value(a);
    const y = this.value(b);
    if (x < y) return -1;
    if (x > y) return 1;
    return (
      compareWords(this.#digests, a * 4, this.#digests, b * 4) ||
      compareCoordinates(this.event(a), this.event(b))
    );
  }

  #rise(from: number, slot: number, rank: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      if (!this.#precedes(rank, slot, parent)) break;
      this.#settle(place, this.#heap[parent] ?? 0, this.#ranks[parent] ?? 0);
      place = parent;
    }
    this.#settle(place, slot, rank);
  }

  #sink(from: number, slot: number, rank: number): void {
    const ranks = this.#ranks;
    const heap = this.#heap;
    const size = this.#size;
    let place = from;
    for (;;) {
      const first = place * 4 + 1;
      if (first >= size) break;
      let least = first;
      let leastRank = ranks[first] ?? 0;
      const end = first + 4 < size ? first + 4 : size;
      for (let child = first + 1; child < end; child++) {
        const childRank = ranks[child] ?? 0;
        if (
          childRank < leastRank ||
          (childRank === leastRank && this.#compareTied(heap[child] ?? 0, heap[least] ?? 0) < 0)
        ) {
          least = child;
          leastRank = childRank;
        }
      }
      if (!(leastRank < rank || (leastRank === rank && !this.#precedes(rank, slot, least)))) break;
      this.#settle(place, heap[least] ?? 0, leastRank);
      place = least;
    }
    this.#settle(place, slot, rank);
  }

  #settle(place: number, slot: number, rank: number): void {
    this.#heap[place] = slot;
    this.#ranks[place] = rank;
    this.#heapPlaces[slot] = place;
  }

  #grow(): void {
    const former = this.#capacity;
    const capacity = former * 2;
    this.#capacity = capacity;
    this.#lengths = enlarged(this.#lengths, new Int32Array(capacity));
    this.#recordedAtMs = enlarged(this.#recordedAtMs, new Float64Array(capacity));
    this.#ranks = enlarged(this.#ranks, new Float64Array(capacity));
    this.#digests = enlarged(this.#digests, new Int32Array(capacity * 4));
    this.#index.moveTo(this.#digests);
    this.#flags = enlarged(this.#flags, new Uint8Array(capacity));
    this.#before = enlarged(this.#before, new Int32Array(capacity));
    this.#after = enlarged(this.#after, new Int32Array(capacity));
    this.#heapPlaces = enlarged(this.#heapPlaces, new Int32Array(capacity));
    this.#heap = enlarged(this.#heap, new Int32Array(capacity));
    this.#free = slotsFrom(former, former, capacity);
    this.#firstFree = 0;
    this.#freeCount = former;
  }
}

/** Negative, zero or positive as an event at its place is before, at, or after the key. */
export function compareToKey(place: Place, event: Event, key: OrderKey): number {
  if (place.time !== key.time) return place.time < key.time ? -1 : 1;
  if (place.value < key.value) return -1;
  if (place.value > key.value) return 1;
  return compareOrderKeys(keyOf(place, event), key);
}

/** The order key of an event at its place. */
export function keyOf(place: Place, event: Event): OrderKey {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = place.words;
  return {
    time: place.time,
    value: place.value,
    id: [w0, w1, w2, w3],
    partition: event.partition,
    offset: event.offset,
  };
}

function compareWords(a: Int32Array, aAt: number, b: Int32Array, bAt: number): number {
  for (let word = 0; word < 4; word++) {
    const x = (a[aAt + word] ?? 0) >>> 0;
    const y = (b[bAt + word] ?? 0) >>> 0;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

function compareCoordinates(a: Event, b: Event): number {
  if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
  return a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0;
}

/** A ring of `capacity` that begins with `count` slots from `first` on. */
function slotsFrom(first: number, count: number, capacity: number): Int32Array {
  const slots = new Int32Array(capacity);
  for (let index = 0; index < count; index += 1) slots[index] = first + index;
  return slots;
}

function enlarged<T extends Float64Array | Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
