import type { Clock } from '../core/clock.ts';
import type { Event } from '../decode/event.ts';
import type { PartitionOffsets } from '../kafka/port.ts';
import { BatchGroup, type Batching } from './batch-group.ts';
import { Channel } from './channel.ts';
import { ConflatedGroup, type GroupPlace } from './conflation/conflated-group.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { Cursors } from './cursors.ts';
import type { Delivery } from './delivery.ts';
import { type Group, type GroupOf, SingleGroup, type Turn } from './group.ts';
import type { StreamMessage } from './history/stream-message.ts';
import type { KeepingBounds, Waiting } from './keeping.ts';
import { EventBatch, EventMessage, type Message } from './message.ts';

export interface AudienceOptions {
  readonly topic: string;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly keeping: KeepingBounds;
  /** What waits for its project. @default nobody counts */
  readonly waiting?: Waiting | undefined;
  /** Called when an interval of a group ends early, or a batch is sent early, as those bounds say. */
  readonly onCut: () => void;
  readonly watermarkMs: () => number | null;
  /** Where the stream stood at the end of its last turn. */
  readonly position: () => StreamPosition;
  /** See `Parcel.isOfPast`. @default false */
  readonly isOfPast?: boolean | undefined;
}

/** How batches of events are put together. */
export interface BatchShape {
  readonly batching: Batching;
  readonly delivery: Delivery;
}

/**
 * Those subscribers of a stream who are of one project and know the topic by one name: several names may
 * lead to one Kafka topic, and cursors are bound to the project.
 */
export class Audience {
  readonly events: Channel<EventMessage, EventMessage, Delivery>;
  readonly batches: Channel<EventMessage, EventBatch, BatchShape>;
  readonly #options: AudienceOptions;
  /** Delivered between the turns of the feed. */
  #outOfTurn = 0;

  constructor(options: AudienceOptions) {
    this.#options = options;
    this.events = new Channel((delivery) =>
      this.#open(delivery, (place) => new SingleGroup(place.isOfPast)),
    );
    this.batches = new Channel(({ delivery, batching }) =>
      this.#open(delivery, (place) => this.#openBatches(batching, place)),
    );
  }

  get size(): number {
    return this.events.size + this.batches.size;
  }

  /** Messages handed to subscriptions so far. */
  get delivered(): number {
    return this.events.delivered + this.batches.delivered + this.#outOfTurn;
  }

  /** The message as this audience gets it. */
  messageOf({ item, late, position }: StreamMessage<Event>): EventMessage {
    const { topic, cursors } = this.#options;
    return new EventMessage(topic, item, late, { position, encode: cursors.encode });
  }

  /** @param events not empty */
  batchOf(events: readonly EventMessage[]): EventBatch {
    const { cursors, position } = this.#options;
    const place = { position: events.at(-1)?.position ?? position(), encode: cursors.encode };
    // What is remembered is behind the stream's watermark.
    return new EventBatch(events, null, place);
  }

  accept(message: StreamMessage<Event>): void {
    const own = this.messageOf(message);
    this.events.accept(own, message.item);
    this.batches.accept(own, message.item);
  }

  flush(turn: Turn, lowest: () => PartitionOffsets): void {
    this.events.flush(turn, lowest);
    this.batches.flush(turn, lowest);
  }

  progress(at: StreamPosition): void {
    const { encode } = this.#options.cursors;
    this.events.progress(at, encode);
    this.batches.progress(at, encode);
  }

  end(error: Error | undefined): void {
    this.events.end(error, this.#options.position());
    this.batches.end(error, this.#options.position());
  }

  /** @param open makes the group that puts together what is delivered */
  #open<Out extends Message>(
    delivery: Delivery,
    open: (place: GroupPlace) => Group<Out> & GroupOf<EventMessage, Out>,
  ): GroupOf<EventMessage, Out> {
    const { clock, position, watermarkMs, isOfPast, onCut, keeping, waiting } = this.#options;
    if (delivery.mode === 'ALL') return open({ position, watermarkMs, isOfPast });
    const onDelivered = this.#onDelivered;
    return new ConflatedGroup(delivery, {
      clock,
      bounds: keeping,
      waiting,
      position,
      watermarkMs,
      open,
      onCut,
      onDelivered,
    });
  }

  #openBatches(batching: Batching, place: GroupPlace): BatchGroup {
    const { clock, cursors, keeping, waiting, onCut } = this.#options;
    const onDelivered = this.#onDelivered;
    const { encode } = cursors;
    const { maxBatchBytes: maxBytes } = keeping;
    const bounds = { maxBytes, waiting, onCut };
    return new BatchGroup(batching, { ...place, ...bounds, clock, encode, onDelivered });
  }

  readonly #onDelivered = (deliveries: number): void => {
    this.#outOfTurn += deliveries;
  };
}
