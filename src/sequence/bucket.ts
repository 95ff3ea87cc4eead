/**
 * Slots whose ranks lie in one stretch of `width`: the numbered ones of a line that is cut into such
 * stretches. Unordered while it is only added to; it is sorted when its first slot is asked for, and
 * kept so from then on. Emptied, it can be used for another stretch.
 */
export class Bucket {
  /** Its ranks lie from `number * width` up to, not including, `(number + 1) * width`. */
  number = 0;
  #slots = new Int32Array(initialCapacity);
  #from = 0;
  #to = 0;
  #sorted = false;

  get size(): number {
    return this.#to - this.#from;
  }

  /** Slots that it has room for. */
  get capacity(): number {
    return this.#slots.length;
  }

  /** Makes an empty one that of another stretch. */
  begin(number: number): void {
    this.number = number;
    this.#from = 0;
    this.#to = 0;
    this.#sorted = false;
  }

  add(slot: number, order: SlotOrder): void {
    if (this.#to === this.#slots.length) this.#makeRoom();
    const place = this.#sorted ? this.#placeOf(slot, order) : this.#to;
    if (place < this.#to) this.#slots.copyWithin(place + 1, place, this.#to);
    this.#slots[place] = slot;
    this.#to += 1;
  }

  /** The first of the order; the bucket must not be empty. */
  first(order: SlotOrder): number {
    if (!this.#sorted) this.#sort(order);
    return this.#slots[this.#from] ?? 0;
  }

  /** Takes out what `first` has said. */
  takeFirst(): void {
    this.#from += 1;
  }

  /** The slot must be in it. Looks through all of them. */
  remove(slot: number): void {
    const place = this.#slots.indexOf(slot, this.#from);
    this.#slots.copyWithin(place, place + 1, this.#to);
    this.#to -= 1;
  }

  #makeRoom(): void {
    const size = this.size;
    const roomy = size * 2 <= this.#slots.length;
    const slots = roomy ? this.#slots : new Int32Array(this.#slots.length * 2);
    slots.set(this.#slots.subarray(this.#from, this.#to));
    this.#slots = slots;
    this.#from = 0;
    this.#to = size;
  }

  /** Where a slot belongs among the sorted ones. */
  #placeOf(slot: number, order: SlotOrder): number {
    let from = this.#from;
    let to = this.#to;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (order.compare(this.#slots[middle] ?? 0, slot) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #sort(order: SlotOrder): void {
    this.#sorted = true;
    const slots = this.#slots;
    const from = this.#from;
    const to = this.#to;
    order.fetch(slots, from, to);
    if (to - from > mostPacked) {
      slots.subarray(from, to).sort((a, b) => order.compare(a, b));
      return;
    }
    if (to - from > fewSlots) {
      sortByRank(slots, from, to, this.number, order);
      return;
    }
    for (let sorted = from + 1; sorted < to; sorted++) insert(slots, from, sorted, order);
  }
}

/** What buckets are sorted by. */
export interface SlotOrder {
  /** How long a stretch is: a whole number up to 2^28. */
  readonly width: number;
  /** Has the memory brought that will be touched of these slots soon. */
  fetch(slots: Int32Array, from: number, to: number): void;
  /** What the order goes by first. */
  rank(slot: number): number;
  /** Negative or positive as `a` is before or after `b`. */
  compare(a: number, b: number): number;
}

const initialCapacity = 64;

/** Up to so many are sorted by insertion. */
const fewSlots = 12;
/** More cannot be sorted as packed numbers. */
const mostPacked = 2 ** 22;

/** Rank and position of each slot, as one number. */
let packed = new Float64Array(1_024);
let unsorted = new Int32Array(1_024);

/**
 * Sorts slots: by rank within the stretch, cut down to a whole number, with the engine's own sort, which
 * asks nobody; then those that are alike in it by the whole order. Exact, as rank (28 bits, or a few
 * more where ranks are so large that they are rounded) and position (22 bits) fit into one double.
 */
function sortByRank(
  slots: Int32Array,
  from: number,
  to: number,
  number: number,
  order: SlotOrder,
): void {
  const count = to - from;
  if (packed.length < count) {
    packed = new Float64Array(count * 2);
    unsorted = new Int32Array(count * 2);
  }
  const start = number * order.width;
  for (let index = 0; index < count; index++) {
    const slot = slots[from + index] ?? 0;
    unsorted[index] = slot;
    packed[index] = Math.floor(order.rank(slot) - start) * count + index;
  }
  packed.subarray(0, count).sort();
  let alikeFrom = from;
  let formerRank = -1;
  for (let index = 0; index < count; index++) {
    const both = packed[index] ?? 0;
    const rank = Math.floor(both / count);
    slots[from + index] = unsorted[both - rank * count] ?? 0;
    if (rank === formerRank) continue;
    sortAlike(slots, alikeFrom, from + index, order);
    alikeFrom = from + index;
    formerRank = rank;
  }
  sortAlike(slots, alikeFrom, to, order);
}

function sortAlike(slots: Int32Array, from: number, to: number, order: SlotOrder): void {
  if (to - from <= fewSlots) {
    for (let sorted = from + 1; sorted < to; sorted++) insert(slots, from, sorted, order);
  } else {
    slots.subarray(from, to).sort((a, b) => order.compare(a, b));
  }
}

/** Insertion sort, one step: all before `at` are sorted. */
function insert(slots: Int32Array, from: number, at: number, order: SlotOrder): void {
  const slot = slots[at] ?? 0;
  let place = at;
  while (place > from && order.compare(slots[place - 1] ?? 0, slot) > 0) {
    slots[place] = slots[place - 1] ?? 0;
    place -= 1;
  }
  slots[place] = slot;
}
