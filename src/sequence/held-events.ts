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

/** 64 bytes, one cache line, seen as whole numbers of 32 bits and as others of 64. */
const bytesOfSlot = 64;
const wordsOfSlot = bytesOfSlot / 4;
const realsOfSlot = bytesOfSlot / 8;
/** Large buffers begin 16 bytes behind a line as a rule: what stands before the slots, for them to begin with one. */
const paddingBytes = 48;

const rankAt = 0;
const recordedAtAt = 1;

/** The digest, four words. */
const digestAt = 4;
const chainAt = 8;
const beforeAt = 9;
const afterAt = 10;
const partitionAt = 11;
/** Length of the JSON text, so that a release need not touch it; below 0: the event is late. */
const lengthAt = 12;

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
  #words: Int32Array;
  #reals: Float64Array;
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

  constructor() {
    const { words, reals } = slotsOf(this.#capacity);
    this.#words = words;
    this.#reals = reals;
  }

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
    return (this.#words[slot * wordsOfSlot + lengthAt] ?? 0) < 0;
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
    const at = slot * wordsOfSlot + digestAt;
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
      const at = slot * wordsOfSlot + digestAt;
      if (
        all[at + 1] === words[1] &&
        all[at] === words[0] &&
        all[at + 2] === words[2] &&
        all[at + 3] === words[3]
      ) {
        return slot;
      }
      slot = (all[slot * wordsOfSlot + chainAt] ?? 0) - 1;
    }
    return none;
  }

  /**
   * Has the memory brought that `add` and `find` will touch for these ids, as `SeenIds.fetch` does.
   *
   * @param digests four words each
   * @returns what depends on all that was read, so that it is read
   */
  fetch(digests: Int32Array, count: number): number {
    const words = this.#words;
    const ring = this.#capacity - 1;
    let sum = 0;
    for (let index = 0; index < count; index++) {
      const slot = this.#free[(this.#firstFree + index) & ring] ?? 0;
      sum += words[slot * wordsOfSlot] ?? 0;
      sum += this.#chains[this.#chainOf(digests[index * 4 + 1] ?? 0)] ?? 0;
    }
    return sum;
  }

  /** The same for what `remove` will touch of these slots. */
  fetchSlots(slots: Int32Array, from: number, to: number): number {
    const words = this.#words;
    const chains = this.#chains;
    let sum = 0;
    for (let index = from; index < to; index++) {
      const at = (slots[index] ?? 0) * wordsOfSlot;
      sum += chains[this.#chainOf(words[at + digestAt + 1] ?? 0)] ?? 0;
    }
    return sum;
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
    reals[real + recordedAtAt] = place.recordedAtMs;

    // One by one: `TypedArray.set` costs more than the four stores.
    const words = this.#words;
    const at = slot * wordsOfSlot;
    words[at + digestAt] = place.words[0] ?? 0;
    words[at + digestAt + 1] = place.words[1] ?? 0;
    words[at + digestAt + 2] = place.words[2] ?? 0;
    words[at + digestAt + 3] = place.words[3] ?? 0;
    words[at + lengthAt] = late ? -1 - length : length;
    if (indexed) this.#index(slot, place.words[1] ?? 0);
    else words[at + chainAt] = none;
    this.#append(slot, event.partition);
    return slot;
  }

  remove(slot: number): void {
    const at = slot * wordsOfSlot;
    if (this.#words[at + chainAt] !== none) this.#unindex(slot);
    this.#unlink(slot);
    const length = this.#words[at + lengthAt] ?? 0;
    this.#textLength -= length < 0 ? -1 - length : length;
    this.#events[slot] = null;
    this.#size -= 1;
    this.#free[(this.#firstFree + this.#freeCount) & (this.#capacity - 1)] = slot;
    this.#freeCount += 1;
  }

  /** Negative, zero or positive as the digest of `a` is before, the same as, or after that of `b`. */
  compareWords(a: number, b: number): number {
    for (let word = 0; word < 4; word++) {
      const x = (this.#words[a * wordsOfSlot + digestAt + word] ?? 0) >>> 0;
      const y = (this.#words[b * wordsOfSlot + digestAt + word] ?? 0) >>> 0;
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  }

  #chainOf(word: number): number {
    return word & (this.#chains.length - 1);
  }

  /** @param word the second of the slot's digest */
  #index(slot: number, word: number): void {
    const words = this.#words;
    const at = slot * wordsOfSlot;
    const chain = this.#chainOf(word);
    words[at + chainAt] = this.#chains[chain] ?? 0;
    this.#chains[chain] = slot + 1;
  }

  #unindex(slot: number): void {
    const words = this.#words;
    const at = slot * wordsOfSlot;
    const chain = this.#chainOf(words[at + digestAt + 1] ?? 0);
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
    const slots = slotsOf(capacity);
    // As whole numbers: not every 64 bits are the same again when they were a number in between.
    slots.words.set(this.#words);
    this.#words = slots.words;
    this.#reals = slots.reals;
    this.#free = slotsFrom(former, former, capacity);
    this.#firstFree = 0;
    this.#freeCount = former;
    this.#chains = new Int32Array(capacity * 2);
    for (let slot = 0; slot < former; slot++) {
      const at = slot * wordsOfSlot;
      if (this.#words[at + chainAt] !== none)
        this.#index(slot, this.#words[at + digestAt + 1] ?? 0);
    }
  }
}

/** A ring of `capacity` that begins with `count` slots from `first` on. */
function slotsFrom(first: number, count: number, capacity: number): Int32Array {
  const slots = new Int32Array(capacity);
  for (let index = 0; index < count; index += 1) slots[index] = first + index;
  return slots;
}

/** Room for so many slots, seen in two ways. */
function slotsOf(capacity: number): { words: Int32Array; reals: Float64Array } {
  const bytes = new ArrayBuffer(paddingBytes + capacity * bytesOfSlot);
  return {
    words: new Int32Array(bytes, paddingBytes, capacity * wordsOfSlot),
    reals: new Float64Array(bytes, paddingBytes, capacity * realsOfSlot),
  };
}
