import type { Event } from '../decode/event.ts';
import type { HeldEvents } from './held-events.ts';
import type { OrderKey } from './order-key.ts';
import { keyOf, type RankedBy } from './ordering-buffer.ts';

/**
 * K: the key of the last event released in order. It is kept in pieces, and made of them when somebody asks for it: an
 * object for each release would cost more than the release.
 */
export class ReleasedKey {
  readonly #rankedBy: RankedBy;
  readonly #words = new Int32Array(4);
  #rank = Number.NEGATIVE_INFINITY;
  #event: Event | null = null;
  #key: OrderKey | null = null;

  constructor(rankedBy: RankedBy) {
    this.#rankedBy = rankedBy;
  }

  /** What the order goes by first; below all while nothing has been released. */
  get rank(): number {
    return this.#rank;
  }

  /** `null`: nothing has been released. */
  get key(): OrderKey | null {
    if (this.#key === null && this.#event !== null) {
      this.#key = keyOf(this.#rankedBy, this.#rank, this.#words, this.#event);
    }
    return this.#key;
  }

  /** In SEQUENCE order: the number of the last one. */
  get number(): number | bigint | undefined {
    return this.#event?.sequence ?? this.#key?.value;
  }

  /** Becomes that of a held event. */
  moveTo(held: HeldEvents, slot: number): void {
    this.#rank = held.rank(slot);
    held.readWords(slot, this.#words);
    this.#event = held.event(slot);
    this.#key = null;
  }

  set(key: OrderKey): void {
    this.#rank = this.#rankedBy === 'time' ? key.time : Number(key.value);
    this.#key = key;
  }
}
