import { compareOrderKeys, type OrderKey } from '../../sequence/order-key.ts';

/**
 * The keys of the ids that a stream only learnt at its start. It drops their copies although it has emitted
 * none of them. Elsewhere a copy with a smaller key is held in place of the one before the start, and is
 * still to come; one with a greater key never is.
 */
export class KeysBefore {
  #greatest: OrderKey | null = null;

  add(key: OrderKey | null): void {
    if (key === null) return;
    if (this.#greatest === null || compareOrderKeys(key, this.#greatest) > 0) this.#greatest = key;
  }

  /** Whether one of them may be greater. */
  reaches(key: OrderKey | null): boolean {
    if (key === null || this.#greatest === null) return false;
    return compareOrderKeys(key, this.#greatest) < 0;
  }
}
