import { MillraceError } from '../core/errors.ts';
import type { DeadLetter, Event } from '../decode/event.ts';
import type { EventFilter } from './filter.ts';
import type { Where } from './where.ts';

/** How much an answer may hold. */
export interface NewestBounds {
  /** How many are wanted. */
  readonly last: number;
  /** Most bytes of text that they may have together. */
  readonly maxBytes: number;
}

/** Picks what is wanted out of all that is read, holding no more than the answer. */
export interface Newest<Item> {
  offer(item: Event | DeadLetter): void;
  /**
   * Oldest first.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`: what is wanted has more than `maxBytes`
   */
  answer(): Item[];
}

/** The newest events by their own time that pass the filter; of copies the newest. */
export class NewestEvents implements Newest<Event> {
  readonly #filter: EventFilter | undefined;
  readonly #kept: Kept<Event>;

  constructor(bounds: NewestBounds, where: Where) {
    this.#filter = where.compile();
    this.#kept = new Kept(bounds, {
      compare: byOwnTime,
      idOf: ({ id }) => id,
      bytesOf: ({ json }) => json.length,
    });
  }

  offer(item: Event | DeadLetter): void {
    if (item.kind !== 'event' || !this.#kept.wants(item)) return;
    if (this.#filter === undefined || this.#filter(item.payload)) this.#kept.put(item);
  }

  answer(): Event[] {
    return this.#kept.answer();
  }
}

/** The newest dead letters by the broker's time. */
export class NewestDeadLetters implements Newest<DeadLetter> {
  readonly #kept: Kept<DeadLetter>;

  constructor(bounds: NewestBounds) {
    this.#kept = new Kept(bounds, {
      compare: byBrokerTime,
      idOf: () => null,
      bytesOf: ({ event, error }) => event.length + error.length,
    });
  }

  offer(item: Event | DeadLetter): void {
    if (item.kind === 'deadLetter' && this.#kept.wants(item)) this.#kept.put(item);
  }

  answer(): DeadLetter[] {
    return this.#kept.answer();
  }
}

interface Nature<Item> {
  /** Below zero: `a` is older. */
  readonly compare: (a: Item, b: Item) => number;
  /** Items of one id are copies; `null`: it has none. */
  readonly idOf: (item: Item) => string | null;
  readonly bytesOf: (item: Item) => number;
}

/**
 * The newest so far, within both bounds. What has been dropped can never be wanted again, as what is kept
 * only becomes newer; that is also why the newest of copies is the one that counts.
 */
class Kept<Item> {
  readonly #bounds: NewestBounds;
  readonly #nature: Nature<Item>;
  /** Oldest first. */
  readonly #items: Item[] = [];
  readonly #byId = new Map<string, Item>();
  #bytes = 0;
  /** The newest that was dropped for its bytes: nothing older is taken any more. */
  #floor: Item | undefined;

  constructor(bounds: NewestBounds, nature: Nature<Item>) {
    this.#bounds = bounds;
    this.#nature = nature;
  }

  /** Whether it belongs to the newest so far. */
  wants(item: Item): boolean {
    const { compare } = this.#nature;
    if (this.#floor !== undefined && compare(item, this.#floor) <= 0) return false;
    const copy = this.#copyOf(item);
    if (copy !== undefined) return compare(item, copy) > 0;
    const [oldest] = this.#items;
    return (
      oldest === undefined || this.#items.length < this.#bounds.last || compare(item, oldest) > 0
    );
  }

  put(item: Item): void {
    const copy = this.#copyOf(item);
    if (copy !== undefined) this.#forget(this.#items.splice(this.#placeOf(copy), 1));
    this.#items.splice(this.#placeOf(item), 0, item);
    const id = this.#nature.idOf(item);
    if (id !== null) this.#byId.set(id, item);
    this.#bytes += this.#nature.bytesOf(item);
    while (this.#items.length > this.#bounds.last) this.#forget(this.#items.splice(0, 1));
    while (this.#bytes > this.#bounds.maxBytes) {
      const dropped = this.#items.splice(0, 1);
      this.#forget(dropped);
      this.#floor = dropped[0];
    }
  }

  answer(): Item[] {
    const { last, maxBytes } = this.#bounds;
    // With as many as are wanted, all newer, what was dropped is not missed.
    if (this.#floor !== undefined && this.#items.length < last) {
      const limit = 'limits.recentBytes';
      throw new MillraceError(
        'LIMIT_EXCEEDED',
        `the newest ${last} have more than ${maxBytes} bytes (${limit}); ask for fewer`,
        { limit },
      );
    }
    return [...this.#items];
  }

  #copyOf(item: Item): Item | undefined {
    const id = this.#nature.idOf(item);
    return id === null ? undefined : this.#byId.get(id);
  }

  #forget(items: readonly Item[]): void {
    for (const item of items) {
      this.#bytes -= this.#nature.bytesOf(item);
      const id = this.#nature.idOf(item);
      if (id !== null) this.#byId.delete(id);
    }
  }

  /** Where the item is, or belongs: behind all that are older. */
  #placeOf(item: Item): number {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#items[middle];
      if (other !== undefined && this.#nature.compare(other, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function byOwnTime(a: Event, b: Event): number {
  return a.timestampUs - b.timestampUs || byPlace(a, b);
}

function byBrokerTime(a: DeadLetter, b: DeadLetter): number {
  // The sources are two topics, so that their places alone do not tell dead letters apart.
  return a.recordedAtMs - b.recordedAtMs || byPlace(a, b);
}

function byPlace(a: Event | DeadLetter, b: Event | DeadLetter): number {
  return a.partition - b.partition || a.offset - b.offset;
}
