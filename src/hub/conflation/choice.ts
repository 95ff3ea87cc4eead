import { sourceAt } from '../../decode/json-source.ts';
import { type Path, parsePath } from '../../decode/path.ts';
import type { Conflated } from '../delivery.ts';
import type { EventMessage } from '../message.ts';
import { valueKey } from './value-key.ts';

/** An event among those of an interval. */
export interface Placed {
  readonly message: EventMessage;
  /** How many came before it. */
  readonly index: number;
}

/** How much may be chosen at the most. */
export interface ConflationBounds {
  /** Values of `by`. */
  readonly maxValues: number;
  /** Length of the texts of the events together. */
  readonly maxBytes: number;
}

/** Which events of an interval are delivered. */
export interface Choice {
  offer(event: Placed): void;
  /** No more can be chosen. */
  readonly isFull: boolean;
  /** Length of the texts of what is chosen so far. */
  readonly bytes: number;
  /** What was chosen, in the order in which it came; it is then forgotten. */
  take(): Placed[];
}

/** @param random from 0 to below 1 */
export function choiceOf(
  delivery: Conflated,
  bounds: ConflationBounds,
  random: () => number,
): Choice {
  return delivery.mode === 'SAMPLE' ? new Sample(random) : new Latest(delivery.by, bounds);
}

/** The newest event of each value of a property. */
class Latest implements Choice {
  readonly #path: Path | undefined;
  readonly #bounds: ConflationBounds;
  /** In the order in which the events came. */
  readonly #byValue = new Map<string, Placed>();
  #bytes = 0;

  constructor(by: string | null, bounds: ConflationBounds) {
    this.#path = by === null ? undefined : parsePath(by);
    this.#bounds = bounds;
  }

  get isFull(): boolean {
    const { maxValues, maxBytes } = this.#bounds;
    return this.#byValue.size >= maxValues || this.#bytes >= maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  offer(event: Placed): void {
    const { message } = event;
    const path = this.#path;
    const key = path === undefined ? '' : valueKey(sourceAt(message.event.json, path));
    const former = this.#byValue.get(key);
    if (former !== undefined) {
      // It comes after the other, but its place in the order is before it: it is not the newer one.
      if (message.late && !former.message.late) return;
      this.#bytes -= former.message.size;
      // A `Map` keeps a key that is set again where it was.
      this.#byValue.delete(key);
    }
    this.#byValue.set(key, event);
    this.#bytes += message.size;
  }

  take(): Placed[] {
    const chosen = [...this.#byValue.values()];
    this.#byValue.clear();
    this.#bytes = 0;
    return chosen;
  }
}

/** One event, of which each has the same chance. */
class Sample implements Choice {
  /** What is chosen is one event, which is never too much. */
  readonly isFull = false;
  readonly #random: () => number;
  #chosen: Placed | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  get bytes(): number {
    return this.#chosen?.message.size ?? 0;
  }

  offer(event: Placed): void {
    // The nth takes the place of the chosen one in one case of n: then all n are equally likely.
    if (this.#random() * (event.index + 1) < 1) this.#chosen = event;
  }

  take(): Placed[] {
    const chosen = this.#chosen;
    this.#chosen = undefined;
    return chosen === undefined ? [] : [chosen];
  }
}
