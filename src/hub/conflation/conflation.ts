import type { StreamPosition } from '../cursor/stream-position.ts';
import type { Conflated } from '../delivery.ts';
import type { EventMessage } from '../message.ts';
import { type Choice, choiceOf, type ConflationBounds, type Placed } from './choice.ts';

/**
 * The events of an interval, of which some are delivered and the others counted.
 *
 * What is delivered keeps the order in which it came, each counting the events left out since the one
 * before; the last counts what came after it as well, and stands where the last of all stood. So each
 * message accounts for every event up to its position, and a cursor needs to say nothing more.
 */
export class Conflation {
  readonly #choice: Choice;
  #count = 0;
  #newest: EventMessage | undefined;

  /** @param random from 0 to below 1. @default `Math.random` */
  constructor(delivery: Conflated, bounds: ConflationBounds, random = Math.random) {
    this.#choice = choiceOf(delivery, bounds, random);
  }

  /** Events that came since it was taken from. */
  get count(): number {
    return this.#count;
  }

  /** It holds as much as it may: what is due must be taken now. */
  get isFull(): boolean {
    return this.#choice.isFull;
  }

  /** Length of the texts of what would be delivered. */
  get bytes(): number {
    return this.#choice.bytes;
  }

  accept(message: EventMessage): void {
    this.#choice.offer({ message, index: this.#count });
    this.#newest = message;
    this.#count += 1;
  }

  /** What is due of the events so far. It then begins anew. */
  take(): Due {
    const newest = this.#newest;
    const placed = newest && { message: newest, index: this.#count - 1 };
    const due = new Due(this.#choice.take(), placed);
    this.#count = 0;
    this.#newest = undefined;
    return due;
  }
}

/** What is delivered of an interval. */
export class Due {
  /** For who was there from the beginning. */
  readonly messages: readonly EventMessage[];
  /** Where who has them stands; undefined: nothing came. */
  readonly position: StreamPosition | undefined;
  readonly #chosen: readonly Placed[];
  readonly #newest: Placed | undefined;

  /**
   * @param chosen not empty if anything came
   * @param newest the last event that came
   */
  constructor(chosen: readonly Placed[], newest: Placed | undefined) {
    this.#chosen = chosen;
    this.#newest = newest;
    this.position = newest?.message.position;
    this.messages = chosen.map((_, at) => this.#counted(at, (chosen[at - 1]?.index ?? -1) + 1));
  }

  /** For who came when there had been so many events. All but the first are the others' messages. */
  since(count: number): readonly EventMessage[] {
    if (count === 0) return this.messages;
    const newest = this.#newest;
    if (newest === undefined || newest.index < count) return [];
    const first = this.#chosen.findIndex(({ index }) => index >= count);
    // What was chosen came before: the count of the others must be told with some event.
    if (first < 0) return [standing(newest, newest.index - count, newest)];
    return [this.#counted(first, count), ...this.messages.slice(first + 1)];
  }

  /** One of the chosen, counting from the `from`th event on. */
  #counted(at: number, from: number): EventMessage {
    const [chosen, newest] = [this.#chosen[at], this.#newest];
    if (chosen === undefined || newest === undefined) throw new Error('nothing was chosen');
    const isLast = at === this.#chosen.length - 1;
    const end = isLast ? newest : chosen;
    return standing(chosen, end.index - from, end);
  }
}

/** The message for others as well, where the last of them stood. */
function standing({ message }: Placed, omitted: number, end: Placed): EventMessage {
  return omitted === 0 ? message : message.standingFor(omitted, end.message.position);
}
