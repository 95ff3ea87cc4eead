import { slicesPerWindow, TimeSlices } from './time-slices.ts';

/** Bytes of one slot: a mark of two and the rest of the digest in fourteen. */
const slotBytes = 16;
/** Halfwords of a slot beside its mark. */
const restLength = 7;
const segmentCount = 256;
/** Slots of a bucket: its marks lie in one cache line. */
const bucketSlots = 8;
/** How full a segment is after it was rebuilt ... */
const freshLoad = 0.77;
/** Up to this many ids (a million in all segments) it is emptier: copied less often, and never 32 MB. */
const roomyIds = 4_096;
const roomyFreshLoad = 0.5;
/**
 * ... and how many ids, by capacity, had to be moved out of full buckets until it grows: it is then
 * about 0.93 full. Between the two lie the 20 bytes an id and the cost of copying.
 */
const movesBeforeGrowth = 1 / 24;
/** A segment that is emptier than this is rebuilt smaller when it is swept. */
const wastefulLoad = 0.25;
/**
 * Segments swept when a slice begins. A slice is alive for fewer than 64 others and swept within another 64, so that no
 * slot still bears a number when, at the 255th, it is given again.
 */
const sweptPerSlice = 4;

export interface SeenIdsOptions {
  /** How long an id is remembered, in broker time. */
  readonly windowMs: number;
  /** Most bytes that the table may take, at least 1 MiB. Where it is not enough the window is cut short. */
  readonly maxBytes: number;
}

/** A part of the table, of two-choice buckets. */
interface Segment {
  /**
   * By slot: the number of its slice in the upper byte, 8 bits of the digest in the lower one. Apart
   * from the rest, so that a search for a new id reads two cache lines of this small array only.
   */
  marks: Uint16Array;
  /** By slot: the other 112 bits of the digest. */
  rests: Uint16Array;
  /** From 32 bits of a digest to a bucket: buckets / 2^32. */
  scale: number;
  /** Ids moved to their other bucket since it was rebuilt or swept. */
  moves: number;
}

/** What a segment starts with: no slot is ever taken in it. */
const noMarks = new Uint16Array(0);
const noRests = new Uint16Array(0);

/**
 * Remembers the ids of a time window exactly: ten million in 200 MB.
 *
 * One table holds the ids of all time slices, so that an operation looks at one place. It has 256
 * segments, chosen by 8 bits of the digest. Those bits need not be stored: in their place each slot
 * holds the number of its slice. To expire a slice is to mark its number as dead, whatever it held: a
 * slot of a dead slice is a free one.
 *
 * An id lies in one of two buckets of 8 slots, and goes to the emptier one (Y. Azar et al., "Balanced
 * Allocations", 1994); when both are full, one id of the first moves to its other bucket (R. Pagh,
 * F. Rodler, "Cuckoo Hashing", 2001). That fills a segment to about 93 % at a fixed cost per operation
 * and without tombstones. A bucket is found by scaling 32 bits of the digest (D. Lemire, "Fast Random
 * Integer Generation in an Interval", 2019), so that a segment can have any number of them.
 *
 * Segments grow each by itself, by a fifth where they are large: no operation takes longer than
 * copying one, at ten million ids 40,000 slots, about a millisecond.
 *
 * A repeated id is as new as its last copy: it is forgotten `windowMs` after that.
 */
export class SeenIds {
  readonly #maxBytes: number;
  readonly #slices: TimeSlices;
  readonly #segments: Segment[];
  #bytes = 0;
  #nextToSweep = 0;

  /** @throws {RangeError} when `maxBytes` is below 1 MiB or `windowMs` is negative */
  constructor(options: SeenIdsOptions) {
    if (!(options.maxBytes >= 2 ** 20)) {
      throw new RangeError(`The ids need at least 1 MiB, not ${options.maxBytes} bytes`);
    }
    if (!(options.windowMs >= 0)) throw new RangeError('The window cannot be negative');
    this.#maxBytes = options.maxBytes;
    this.#slices = new TimeSlices({
      windowMs: options.windowMs,
      maxIds: Math.floor((options.maxBytes / slotBytes) * (freshLoad / slicesPerWindow)),
      onBegun: () => this.#sweepSome(),
    });
    this.#segments = Array.from({ length: segmentCount }, () => ({
      marks: noMarks,
      rests: noRests,
      scale: 0,
      moves: 0,
    }));
  }

  /** Takes over all that another one of the same window and bound remembers, in place of what it knows itself. */
  copyFrom(other: SeenIds): void {
    for (const [index, segment] of this.#segments.entries()) {
      const its = other.#segments[index];
      if (its === undefined) continue;
      segment.marks = its.marks.slice();
      segment.rests = its.rests.slice();
      segment.scale = its.scale;
      segment.moves = its.moves;
    }
    this.#slices.copyFrom(other.#slices);
    this.#bytes = other.#bytes;
    this.#nextToSweep = other.#nextToSweep;
  }

  /** Ids that are remembered. */
  get ids(): number {
    return this.#slices.ids;
  }

  /** Bytes that the table takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * How far back, from the newest record, a copy is sure to be noticed: the window, or less after a
   * start without warm-up and where `maxBytes` cut it short.
   */
  get coveredMs(): number {
    return this.#slices.coveredMs;
  }

  /**
   * Remembers an id as recorded at `recordedAtMs` (broker time).
   * @param words the four words of its digest
   * @returns whether it is new: false for one that is remembered already
   */
  add(words: Int32Array, recordedAtMs: number): boolean {
    const slices = this.#slices;
    if (recordedAtMs > slices.newestMs) slices.advance(recordedAtMs);
    const w0 = words[0] ?? 0;
    const segment = this.#segment(w0);
    const { marks, rests, scale } = segment;
    const { alive } = slices;
    const tag = (w0 >>> 16) & 0xff;
    const mark = (slices.current << 8) | tag;
    if (marks.length === 0) {
      this.#rebuild(segment, 1);
      return this.add(words, recordedAtMs);
    }

    // The loops have a fixed length and choose the free slot by arithmetic: at 80 to 90 % full, a branch
    // on it would be mispredicted several times an operation, which costs more than the memory.
    const first = Math.floor(((words[1] ?? 0) >>> 0) * scale) * bucketSlots;
    const second = Math.floor(((words[2] ?? 0) >>> 0) * scale) * bucketSlots;
    // 0, and a read that starts to fetch the second bucket's cache line while the first is searched.
    let takenInSecond = (marks[second] ?? 0) >>> 16;
    let freeInFirst = -1;
    let takenInFirst = 0;
    for (let slot = first; slot < first + bucketSlots; slot++) {
      const other = marks[slot] ?? 0;
      const taken = alive[other >>> 8] ?? 0;
      if ((other & 0xff) === tag && taken === 1 && holds(rests, slot, words)) {
        this.#refresh(marks, slot);
        return false;
      }
      takenInFirst += taken;
      freeInFirst = (freeInFirst & -taken) | (slot & (taken - 1));
    }
    let freeInSecond = -1;
    for (let slot = second; slot < second + bucketSlots; slot++) {
      const other = marks[slot] ?? 0;
      const taken = alive[other >>> 8] ?? 0;
      if ((other & 0xff) === tag && taken === 1 && holds(rests, slot, words)) {
        this.#refresh(marks, slot);
        return false;
      }
      takenInSecond += taken;
      freeInSecond = (freeInSecond & -taken) | (slot & (taken - 1));
    }

    let free = takenInFirst <= takenInSecond ? freeInFirst : freeInSecond;
    if (free < 0) free = this.#makeWay(segment, first / bucketSlots);
    if (free < 0) {
      this.#makeRoom(segment);
      return this.add(words, recordedAtMs);
    }
    marks[free] = mark;
    write(rests, free, words);
    slices.add();
    return true;
  }

  /**
   * Has the cache lines brought that `add` reads first for these ids. Reading them in a row, with nothing
   * that depends on what is read, lets the processor wait for many at once.
   * @param digests four words each
   * @returns what depends on all that was read, so that it is read
   */
  fetch(digests: Int32Array, count: number): number {
    let sum = 0;
    for (let at = 0; at < count * 4; at += 4) {
      const { marks, scale } = this.#segment(digests[at] ?? 0);
      sum += marks[Math.floor(((digests[at + 1] ?? 0) >>> 0) * scale) * bucketSlots] ?? 0;
      sum += marks[Math.floor(((digests[at + 2] ?? 0) >>> 0) * scale) * bucketSlots] ?? 0;
    }
    return sum;
  }

  /**
   * Forgets what no later record can be within the window of.
   * @param lowMs no record with a broker time below this is to come
   */
  expire(lowMs: number): void {
    this.#slices.expire(lowMs);
    if (this.#slices.ids === 0 && this.#bytes > 0) {
      for (const segment of this.#segments) this.#replace(segment, noMarks, noRests);
    }
  }

  #segment(w0: number): Segment {
    const segment = this.#segments[w0 >>> 24];
    if (segment === undefined) throw new RangeError('No such segment');
    return segment;
  }

  #refresh(marks: Uint16Array, slot: number): void {
    const mark = marks[slot] ?? 0;
    marks[slot] = (this.#slices.current << 8) | (mark & 0xff);
    this.#slices.move(mark >>> 8);
  }

  /** Makes way in a bucket that is full, as is the other one of the new id. @returns the free slot, or -1 */
  #makeWay(segment: Segment, bucket: number): number {
    if (segment.moves >= segment.marks.length * movesBeforeGrowth) return -1;
    segment.moves++;
    return this.#moveOne(segment.marks, segment.rests, segment.scale, bucket, null);
  }

  /**
   * Moves one id of a full bucket to its other one.
   * @param taken how many slots of each bucket are taken, to be kept up
   * @returns the slot that became free, or -1
   */
  #moveOne(
    marks: Uint16Array,
    rests: Uint16Array,
    scale: number,
    bucket: number,
    taken: Uint8Array | null,
  ): number {
    const { alive } = this.#slices;
    const first = bucket * bucketSlots;
    for (let slot = first; slot < first + bucketSlots; slot++) {
      const rest = slot * restLength;
      let other = Math.floor((word(rests, rest) >>> 0) * scale);
      if (other === bucket) other = Math.floor((word(rests, rest + 2) >>> 0) * scale);
      for (let to = other * bucketSlots; to < (other + 1) * bucketSlots; to++) {
        if (alive[(marks[to] ?? 0) >>> 8] === 1) continue;
        marks[to] = marks[slot] ?? 0;
        copyRest(rests, slot, rests, to);
        if (taken !== null) taken[other] = (taken[other] ?? 0) + 1;
        return slot;
      }
    }
    return -1;
  }

  /** Makes the segment larger; where the bytes do not suffice, forgets the oldest slice instead. */
  #makeRoom(segment: Segment): void {
    const buckets = segment.marks.length / bucketSlots;
    const living = this.#living(segment);
    const mostBuckets = buckets + (this.#maxBytes - this.#bytes) / (bucketSlots * slotBytes);
    let wanted = Math.max(bucketsFor(living, freshLoadOf(living)), buckets + 1);
    if (wanted > mostBuckets) wanted = Math.max(bucketsFor(living, freshLoad), buckets + 1);
    if (wanted <= mostBuckets) {
      while (!this.#rebuild(segment, wanted)) wanted++;
      return;
    }
    this.#slices.cutShort();
  }

  #sweepSome(): void {
    for (let swept = 0; swept < sweptPerSlice; swept++) {
      this.#sweep(this.#segment(this.#nextToSweep << 24));
      this.#nextToSweep = (this.#nextToSweep + 1) % segmentCount;
    }
  }

  /** Clears the marks of dead slices. */
  #sweep(segment: Segment): void {
    const { marks } = segment;
    const { alive } = this.#slices;
    let living = 0;
    for (let slot = 0; slot < marks.length; slot++) {
      if (alive[(marks[slot] ?? 0) >>> 8] === 1) living++;
      else marks[slot] = 0;
    }
    segment.moves = 0;
    if (living < marks.length * wastefulLoad) {
      this.#rebuild(segment, bucketsFor(living, freshLoadOf(living)));
    }
  }

  #living(segment: Segment): number {
    const { marks } = segment;
    const { alive } = this.#slices;
    let living = 0;
    for (let slot = 0; slot < marks.length; slot++) living += alive[(marks[slot] ?? 0) >>> 8] ?? 0;
    return living;
  }

  /** Copies what is alive into a table of another size. @returns false: an id found no slot in it */
  #rebuild(segment: Segment, buckets: number): boolean {
    const { marks, rests } = segment;
    const { alive } = this.#slices;
    const toMarks = new Uint16Array(buckets * bucketSlots);
    const toRests = new Uint16Array(buckets * bucketSlots * restLength);
    const taken = new Uint8Array(buckets);
    const scale = buckets / 2 ** 32;
    for (let slot = 0; slot < marks.length; slot++) {
      const mark = marks[slot] ?? 0;
      if (alive[mark >>> 8] !== 1) continue;
      const rest = slot * restLength;
      const first = Math.floor((word(rests, rest) >>> 0) * scale);
      const second = Math.floor((word(rests, rest + 2) >>> 0) * scale);
      const bucket = (taken[first] ?? 0) <= (taken[second] ?? 0) ? first : second;
      const already = taken[bucket] ?? 0;
      let free = bucket * bucketSlots + already;
      if (already < bucketSlots) taken[bucket] = already + 1;
      else free = this.#moveOne(toMarks, toRests, scale, bucket, taken);
      if (free < 0) return false;
      toMarks[free] = mark;
      copyRest(rests, slot, toRests, free);
    }
    this.#replace(segment, toMarks, toRests);
    return true;
  }

  #replace(segment: Segment, marks: Uint16Array, rests: Uint16Array): void {
    this.#bytes += (marks.length - segment.marks.length) * slotBytes;
    segment.marks = marks;
    segment.rests = rests;
    segment.scale = marks.length / bucketSlots / 2 ** 32;
    segment.moves = 0;
  }
}

function freshLoadOf(ids: number): number {
  return ids < roomyIds ? roomyFreshLoad : freshLoad;
}

function bucketsFor(ids: number, load: number): number {
  return Math.ceil((ids + 1) / (bucketSlots * load));
}

/** Writes the 112 bits of the digest that neither segment nor mark hold. */
function write(rests: Uint16Array, slot: number, words: Int32Array): void {
  const rest = slot * restLength;
  const w1 = words[1] ?? 0;
  const w2 = words[2] ?? 0;
  const w3 = words[3] ?? 0;
  rests[rest] = w1;
  rests[rest + 1] = w1 >>> 16;
  rests[rest + 2] = w2;
  rests[rest + 3] = w2 >>> 16;
  rests[rest + 4] = w3;
  rests[rest + 5] = w3 >>> 16;
  rests[rest + 6] = words[0] ?? 0;
}

function copyRest(from: Uint16Array, fromSlot: number, to: Uint16Array, toSlot: number): void {
  const source = fromSlot * restLength;
  const target = toSlot * restLength;
  for (let half = 0; half < restLength; half++) to[target + half] = from[source + half] ?? 0;
}

/** Whether the slot's 112 bits are those of the digest. */
function holds(rests: Uint16Array, slot: number, words: Int32Array): boolean {
  const rest = slot * restLength;
  return (
    word(rests, rest) === words[1] &&
    word(rests, rest + 2) === words[2] &&
    word(rests, rest + 4) === words[3] &&
    rests[rest + 6] === ((words[0] ?? 0) & 0xffff)
  );
}

function word(halves: Uint16Array, at: number): number {
  return (halves[at] ?? 0) | ((halves[at + 1] ?? 0) << 16);
}
