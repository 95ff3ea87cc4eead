import type { Event } from '../../decode/event.ts';
import type { Conflation } from '../conflation/conflation.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';
import type { EventFilter } from '../filter.ts';
import type { StreamMessage } from '../history/stream-message.ts';
import type { EventBatch, EventMessage, Message } from '../message.ts';
import type { SharedParcels } from './shared-parcels.ts';

/** What one subscriber gets of the messages that a stream remembers. */
export interface Excerpt<Raw, Item extends Message> {
  /** Where the subscriber stands with what was due so far; undefined: nothing is kept from it. */
  readonly keptFrom: StreamPosition | undefined;
  /** With whom it shares what is made of the messages; undefined: what it gets depends on what it has kept. */
  readonly sharing: Sharing<Raw, Item> | undefined;
  /**
   * Takes the next messages.
   *
   * @param before where the stream stood before them
   * @returns what is due
   */
  take(messages: readonly StreamMessage<Raw>[], before: StreamPosition): readonly Item[];
  /** There are no more for now. @returns what was kept until then */
  rest(): readonly Item[];
}

/** Those who want the same. */
export interface Sharing<Raw, Item extends Message> {
  readonly parcels: SharedParcels<Raw, Item>;
  readonly wish: string;
}

export interface EventExcerptOptions {
  readonly messageOf: (message: StreamMessage<Event>) => EventMessage;
  /** Undefined: every event is wanted. */
  readonly passes: EventFilter | undefined;
  /** Undefined: all of them are delivered. */
  readonly conflation: Conflation | undefined;
}

/** Each event by itself. */
export class EventExcerpt implements Excerpt<Event, EventMessage> {
  readonly sharing: Sharing<Event, EventMessage> | undefined;
  readonly #options: EventExcerptOptions;
  #keptFrom: StreamPosition | undefined;

  /** @param sharing if all are delivered */
  constructor(options: EventExcerptOptions, sharing?: Sharing<Event, EventMessage>) {
    this.#options = options;
    if (options.conflation === undefined) this.sharing = sharing;
  }

  get keptFrom(): StreamPosition | undefined {
    return this.#keptFrom;
  }

  take(messages: readonly StreamMessage<Event>[], before: StreamPosition): EventMessage[] {
    const { messageOf, passes, conflation } = this.#options;
    const due: EventMessage[] = [];
    let stood = before;
    for (const message of messages) {
      if (passes === undefined || passes(message.item.payload)) {
        if (conflation === undefined) {
          due.push(messageOf(message));
        } else {
          this.#keptFrom ??= stood;
          conflation.accept(messageOf(message));
          if (conflation.isFull) for (const each of this.rest()) due.push(each);
        }
      }
      stood = message.position;
    }
    return due;
  }

  rest(): readonly EventMessage[] {
    this.#keptFrom = undefined;
    return this.#options.conflation?.take().messages ?? [];
  }
}

export interface BatchExcerptOptions extends EventExcerptOptions {
  readonly maxEvents: number;
  /** See `BatchGroupOptions`. @default no limit */
  readonly maxBytes?: number | undefined;
  readonly batchOf: (events: readonly EventMessage[]) => EventBatch;
}

/** As many events together as may be. */
export class BatchExcerpt implements Excerpt<Event, EventBatch> {
  readonly sharing: Sharing<Event, EventBatch> | undefined;
  readonly #options: BatchExcerptOptions;
  readonly #events: EventExcerpt;

  /** @param sharing if all are delivered */
  constructor(options: BatchExcerptOptions, sharing?: Sharing<Event, EventBatch>) {
    this.#options = options;
    if (options.conflation === undefined) this.sharing = sharing;
    this.#events = new EventExcerpt(options);
  }

  get keptFrom(): StreamPosition | undefined {
    return this.#events.keptFrom;
  }

  take(messages: readonly StreamMessage<Event>[], before: StreamPosition): EventBatch[] {
    return this.#batches(this.#events.take(messages, before));
  }

  rest(): EventBatch[] {
    return this.#batches(this.#events.rest());
  }

  #batches(events: readonly EventMessage[]): EventBatch[] {
    const { maxEvents, maxBytes = Number.POSITIVE_INFINITY, batchOf } = this.#options;
    const batches: EventBatch[] = [];
    let [from, bytes] = [0, 0];
    for (const [index, { size }] of events.entries()) {
      bytes += size;
      const next = index + 1;
      if (next - from < maxEvents && bytes < maxBytes && next < events.length) continue;
      batches.push(batchOf(events.slice(from, next)));
      [from, bytes] = [next, 0];
    }
    return batches;
  }
}
