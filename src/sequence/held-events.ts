import type { Event } from '../decode/event.ts';

/** No slot. */
export const none = -1;

/** The place of an event in the order, beside what the event itself says. */
export interface Place {
  /** What the order goes by first, as a number: the clamped time, or the sequence number (rounded). */
  rank: number;
  /** The digest of its id: four words. */
  readonly words: Int32Array;
  /** The broker's time, from which an event waits; of one from the future, that of its receipt. */
  recordedAtMs: number;
}

/** The whole numbers of a slot, eight of them, so that all of them lie in one cache line. */
const wordsOfSlot = 8;
/** From 0 on: the digest, four words. */
const chainAt = 4;
const beforeAt = 5;
const afterAt = 6;
const partitionAt = 7;

/** The others. */
const realsOfSlot = 3;
const rankAt = 0;
/** Length of the JSON text, so that a release need not touch it; below 0: the event is late. */
const lengthAt = 1;
const recordedAtAt = 2;

/** The held events of one partition, in offset order: a doubly linked list through the slots. */
interface OfPartition {
  first: number;
  last: number;
}

/**
 * The events that wait, each in a slot: a number that stays its own until it is removed. All about a
 * slot lies in typed arrays, together, so that holding an event allocates nothing and touches little:
 * tens of thousands are held, and what is written now is read again when all those have gone by.
 *
 * An event is found by its slot, by the digest of its id (a hash table with chains through the slots), and
 * as the first of its partition.
 */
export class HeldEvents {
  /** A power of two. */
  #capacity = 64;
  #size = 0;
  #textLength = 0;
  readonly #events: (Event | null)[] = [];
  #words = new Int32Array(this.#capacity * wordsOfSlot);
  #reals = new Float64Array(this.#capacity * realsOfSlot);
  /** Slot + 1 by a word of the digest, which looks random (`IdDigester`); 0: none. */
  #chains = new Int32Array(this.#capacity * 2);
  readonly #ofPartition: (OfPartition | undefined)[] = [];
  /**
   * Free slots, a ring: the one that has been free for longest is taken first. Events leave in about the
   * order in which they came, so slots are used one after the other, and what lies beside each other in
   * the arrays is used together. (Taken last in, first out, the slots would soon be shuffled, and each
   * would cost a cache miss.)
   */
  #free = slotsFrom(0, this.#capacity, this.#capacity);
  #firstFree = 0;
  #freeCount = this.#capacity;

  get size(): number {
    return this.#size;
  }

  /** Length of their JSON texts together. */
  get textLength(): number {
    return this.#textLength;
  }

  event(slot: number): Event {
    const event = this.#events[slot];
    if (event === null || event === undefined) throw new RangeError(`Nothing is held in ${slot}`);
    return event;
  }

  late(slot: number): boolean {
    return (this.#reals[slot * realsOfSlot + lengthAt] ?? 0) < 0;
  }

  rank(slot: number): number {
    return this.#reals[slot * realsOfSlot + rankAt] ?? 0;
  }

  /** `Place.recordedAtMs`. */
  recordedAtMs(slot: number): number {
    return this.#reals[slot * realsOfSlot + recordedAtAt] ?? 0;
  }

  /** The slot with the lowest offset of a partition, or `none`. */
  first(partition: number): number {
    return this.#ofPartition[partition]?.first ?? none;
  }

  /** The next slot of the same partition, or `none`. */
  after(slot: number): number {
    return this.#words[slot * wordsOfSlot + afterAt] ?? none;
  }

  /** Copies the four words of the slot's digest. */
  readWords(slot: number, into: Int32Array): void {
    const at = slot * wordsOfSlot;
    const words = this.#words;
    into[0] = words[at] ?? 0;
    into[1] = words[at + 1] ?? 0;
    into[2] = words[at + 2] ?? 0;
    into[3] = words[at + 3] ?? 0;
  }

  /** The slot that holds an event of this id (only those added as `indexed` are found), or `none`. */
  find(words: Int32Array): number {
    const all = this.#words;
    let slot = (this.#chains[this.#chainOf(words[1] ?? 0)] ?? 0) - 1;
    while (slot !== none) {
      const at = slot * wordsOfSlot;
      if (
        all[at + 1] === words[1] &&
        all[at] === words[0] &&
        all[at + 2] === words[2] &&
        all[at + 3] === words[3]
      ) {
        return slot;
      }
      slot = (all[at + chainAt] ?? 0) - 1;
    }
    return none;
  }

  /**
   * Holds an event, behind all of its partition.
   *
   * @param indexed whether `find` finds it; none of the same id may be indexed
   * @returns its slot
   */
  add(event: Event, place: Place, late: boolean, indexed: boolean): number {
    if (this.#freeCount === 0) this.#grow();
    const slot = this.#free[this.#firstFree] ?? 0;
    this.#firstFree = (this.#firstFree + 1) & (this.#capacity - 1);
    this.#freeCount -= 1;
    this.#size += 1;
    this.#events[slot] = event;

    const { length } = event.json;
    this.#textLength += length;
    const reals = this.#reals;
    const real = slot * realsOfSlot;
    reals[real + rankAt] = place.rank;
    reals[real + lengthAt] = late ? -1 - length : length;
    reals[real + recordedAtAt] = place.recordedAtMs;

    // One by one: `TypedArray.set` costs more than the four stores.
    const words = this.#words;
    const at = slot * wordsOfSlot;
    words[at] = place.words[0] ?? 0;
    words[at + 1] = place.words[1] ?? 0;
    words[at + 2] = place.words[2] ?? 0;
    words[at + 3] = place.words[3] ?? 0;
    if (indexed) this.#index(slot);
    else words[at + chainAt] = none;
    this.#append(slot, event.partition);
    return slot;
  }

  remove(slot: number): void {
    const at = slot * wordsOfSlot;
    if (this.#words[at + chainAt] !== none) this.#unindex(slot);
    this.#unlink(slot);
    const length = this.#reals[slot * realsOfSlot + lengthAt] ?? 0;
    this.#textLength -= length < 0 ? -1 - length : length;
    this.#events[slot] = null;
    this.#size -= 1;
    this.#free[(this.#firstFree + this.#freeCount) & (this.#capacity - 1)] = slot;
    this.#freeCount += 1;
  }

  /** Negative, zero or positive as the digest of `a` is before, the same as, or after that of `b`. */
  compareWords(a: number, b: number): number {
    for (let word = 0; word < 4; word++) {
      const x = (this.#words[a * wordsOfSlot + word] ?? 0) >>> 0;
      const y = (this.#words[b * wordsOfSlot + word] ?? 0) >>> 0;
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  }

  #chainOf(word: number): number {
    return word & (this.#chains.length - 1);
  }

  #index(slot: number): void {
    const words = this.#words;
    const at = slot * wordsOfSlot;
    const chain = this.#chainOf(words[at + 1] ?? 0);
    words[at + chainAt] = this.#chains[chain] ?? 0;
    this.#chains[chain] = slot + 1;
  }

  #unindex(slot: number): void {
    const words = this.#words;
    const at = slot * wordsOfSlot;
    const chain = this.#chainOf(words[at + 1] ?? 0);
    const next = words[at + chainAt] ?? 0;
    let before = this.#chains[chain] ?? 0;
    if (before === slot + 1) {
      this.#chains[chain] = next;
      return;
    }
    // Chains are short: there are at least twice as many as slots.
    for (;;) {
      const link = (before - 1) * wordsOfSlot + chainAt;
      before = words[link] ?? 0;
      if (before !== slot + 1) continue;
      words[link] = next;
      return;
    }
  }

  #append(slot: number, partition: number): void {
    const list = (this.#ofPartition[partition] ??= { first: none, last: none });
    const words = this.#words;
    const at = slot * wordsOfSlot;
    words[at + partitionAt] = partition;
    words[at + beforeAt] = list.last;
    words[at + afterAt] = none;
    if (list.last === none) list.first = slot;
    else words[list.last * wordsOfSlot + afterAt] = slot;
    list.last = slot;
  }

  #unlink(slot: number): void {
    const words = this.#words;
    const at = slot * wordsOfSlot;
    const list = this.#ofPartition[words[at + partitionAt] ?? 0];
    if (list === undefined) return;
    const before = words[at + beforeAt] ?? none;
    const after = words[at + afterAt] ?? none;
    if (before === none) list.first = after;
    else words[before * wordsOfSlot + afterAt] = after;
    if (after === none) list.last = before;
    else words[after * wordsOfSlot + beforeAt] = before;
  }

  #grow(): void {
    const former = this.#capacity;
    const capacity = former * 2;
    this.#capacity = capacity;
    this.#words = enlarged(this.#words, new Int32Array(capacity * wordsOfSlot));
    this.#reals = enlarged(this.#reals, new Float64Array(capacity * realsOfSlot));
    this.#free = slotsFrom(former, former, capacity);
    this.#firstFree = 0;
    this.#freeCount = former;
    this.#chains = new Int32Array(capacity * 2);
    for (let slot = 0; slot < former; slot++) {
      if (this.#words[slot * wordsOfSlot + chainAt] !== none) this.#index(slot);
    }
  }
}

/** A ring of `capacity` that begins with `count` slots from `first` on. */
function slotsFrom(first: number, count: number, capacity: number): Int32Array {
  const slots = new Int32Array(capacity);
  for (let index = 0; index < count; index += 1) slots[index] = first + index;
  return slots;
}

function enlarged<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
