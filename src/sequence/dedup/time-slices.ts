/** The share of the window that one slice covers. */
export const slicesPerWindow = 16;
/** Slices alive at once, at most: while a partition that is away holds expiry back. */
const maxSlices = 64;
/** Numbers are 1 to 255, used in turn; 0 is never alive. */
const sliceNumbers = 255;

export interface TimeSlicesOptions {
  /** How long an id is remembered, in milliseconds of broker time. */
  readonly windowMs: number;
  /** With so many ids a slice is full, however short its time. */
  readonly maxIds: number;
  /** A slice has begun. */
  readonly onBegun: () => void;
}

/**
 * The time window of remembered ids, cut into slices. Each id bears the number of its slice. To forget a
 * slice is to mark its number as dead, whatever bears it.
 */
export class TimeSlices {
  /** By number: 1 while the slice is alive, else 0. */
  readonly alive = new Uint8Array(256);
  readonly #options: TimeSlicesOptions;
  readonly #spanMs: number;
  readonly #counts = new Uint32Array(256);
  readonly #newestOfSlice = new Float64Array(256).fill(Number.NEGATIVE_INFINITY);
  #oldest = 1;
  #current = 1;
  #slices = 1;
  #startMs = Number.NEGATIVE_INFINITY;
  #newestMs = Number.NEGATIVE_INFINITY;
  /** Copies of ids recorded before this may go unnoticed. */
  #coveredFromMs = Number.POSITIVE_INFINITY;
  #ids = 0;

  constructor(options: TimeSlicesOptions) {
    this.#options = options;
    this.#spanMs = Math.max(1, options.windowMs / slicesPerWindow);
    this.alive[1] = 1;
  }

  /** Takes over all that another one of the same window knows. */
  copyFrom(other: TimeSlices): void {
    this.alive.set(other.alive);
    this.#counts.set(other.#counts);
    this.#newestOfSlice.set(other.#newestOfSlice);
    this.#oldest = other.#oldest;
    this.#current = other.#current;
    this.#slices = other.#slices;
    this.#startMs = other.#startMs;
    this.#newestMs = other.#newestMs;
    this.#coveredFromMs = other.#coveredFromMs;
    this.#ids = other.#ids;
  }

  /** The number that new ids get. */
  get current(): number {
    return this.#current;
  }

  /** Ids in all slices that are alive. */
  get ids(): number {
    return this.#ids;
  }

  /** The newest broker time, in milliseconds since 1970. */
  get newestMs(): number {
    return this.#newestMs;
  }

  /** See `SeenIds.coveredMs`. */
  get coveredMs(): number {
    if (this.#newestMs < this.#coveredFromMs) return 0;
    return Math.min(this.#options.windowMs, this.#newestMs - this.#coveredFromMs);
  }

  /** Takes an id into the current slice. A full one is at its end. */
  add(): void {
    this.#count(this.#current, 1);
    if ((this.#counts[this.#current] ?? 0) >= this.#options.maxIds) this.#begin();
  }

  /** An id of a slice has become one of the current slice. */
  move(from: number): void {
    this.#count(from, -1);
    this.#count(this.#current, 1);
  }

  /** @param recordedAtMs newer than all before */
  advance(recordedAtMs: number): void {
    if (this.#coveredFromMs === Number.POSITIVE_INFINITY) {
      this.#coveredFromMs = recordedAtMs;
      this.#startMs = recordedAtMs;
    }
    if (recordedAtMs >= this.#startMs + this.#spanMs) {
      this.#begin();
      this.#startMs = recordedAtMs;
    }
    this.#newestMs = recordedAtMs;
    // Ids of other partitions with older times join the current slice: they are kept a little longer.
    this.#newestOfSlice[this.#current] = recordedAtMs;
  }

  /** @param lowMs no record with a broker time below this is to come */
  expire(lowMs: number): void {
    const before = lowMs - this.#options.windowMs;
    while (this.#slices > 1 && this.#newest(this.#oldest) < before) this.#drop();
    if (this.#slices === 1 && this.#ids > 0 && this.#newestMs < before) {
      this.#begin();
      this.#drop();
    }
  }

  /** Forgets the oldest slice before its time. */
  cutShort(): void {
    if (this.#slices === 1) this.#begin();
    this.#coveredFromMs = Math.max(this.#coveredFromMs, this.#newest(this.#oldest));
    this.#drop();
  }

  #newest(slice: number): number {
    return this.#newestOfSlice[slice] ?? Number.NEGATIVE_INFINITY;
  }

  #count(slice: number, change: number): void {
    this.#counts[slice] = (this.#counts[slice] ?? 0) + change;
    this.#ids += change;
  }

  #begin(): void {
    if (this.#slices === maxSlices) return;
    this.#current = (this.#current % sliceNumbers) + 1;
    this.#slices++;
    this.alive[this.#current] = 1;
    this.#counts[this.#current] = 0;
    this.#newestOfSlice[this.#current] = this.#newestMs;
    this.#options.onBegun();
  }

  #drop(): void {
    const slice = this.#oldest;
    this.alive[slice] = 0;
    this.#ids -= this.#counts[slice] ?? 0;
    this.#counts[slice] = 0;
    this.#oldest = (slice % sliceNumbers) + 1;
    this.#slices--;
  }
}
