export interface LruMapOptions<Key> {
  /** Most entries. */
  readonly maxSize: number;
  /** Most weight of all entries together; one that is heavier by itself is not kept. */
  readonly maxWeight: number;
  readonly weightOf: (key: Key) => number;
}

/** A map of bounded size and weight, which forgets the entries that were used longest ago. */
export class LruMap<Key, Value> {
  readonly #options: LruMapOptions<Key>;
  /** In the order of their last use: a `Map` remembers in which order keys were set. */
  readonly #entries = new Map<Key, Value>();
  #weight = 0;

  constructor(options: LruMapOptions<Key>) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  set(key: Key, value: Value): void {
    this.#delete(key);
    this.#entries.set(key, value);
    this.#weight += this.#options.weightOf(key);
    const { maxSize, maxWeight } = this.#options;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxSize && this.#weight <= maxWeight) return;
      this.#delete(oldest);
    }
  }

  #delete(key: Key): void {
    if (this.#entries.delete(key)) this.#weight -= this.#options.weightOf(key);
  }
}
