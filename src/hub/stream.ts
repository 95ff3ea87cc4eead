import type { Clock } from '../core/clock.ts';
import type { Event } from '../decode/event.ts';
import type { EventOrder } from '../sequence/order.ts';
import { Sequencer, type SequencerOptions } from '../sequence/sequencer.ts';
import { BatchGroup, type Batching } from './batch-group.ts';
import { Channel } from './channel.ts';
import { SingleGroup } from './group.ts';
import type { Wish } from './group-table.ts';
import { isPassed, type JoinPoint } from './join-point.ts';
import { type EventBatch, EventMessage } from './message.ts';
import type { Subscription } from './subscription.ts';

/** What makes two subscriptions of a feed share their work. */
export interface StreamKey {
  readonly order: EventOrder;
  readonly deduplicate: boolean;
}

/** Those who know the topic by one name: several may lead to one Kafka topic. */
interface Audience {
  readonly events: Channel<EventMessage, EventMessage, null>;
  readonly batches: Channel<EventMessage, EventBatch, Batching>;
}

/** A feed's events in one order, sequenced once for all subscribers that want it so. */
export class Stream {
  readonly sequencer: Sequencer;
  readonly #clock: Clock;
  /** By the name of the topic. */
  readonly #audiences = new Map<string, Audience>();
  /** Delivered to audiences that are no more. */
  #retired = 0;
  /** Delivered between the turns of the feed. */
  #outOfTurn = 0;

  constructor(options: Omit<SequencerOptions, 'emit'>) {
    this.#clock = options.clock;
    this.sequencer = new Sequencer({
      ...options,
      emit: (event, late) => this.#deliver(event, late),
    });
  }

  get subscribers(): number {
    let subscribers = 0;
    for (const { events, batches } of this.#audiences.values()) {
      subscribers += events.size + batches.size;
    }
    return subscribers;
  }

  /** Messages handed to subscriptions so far. */
  get delivered(): number {
    let delivered = this.#retired + this.#outOfTurn;
    for (const { events, batches } of this.#audiences.values()) {
      delivered += events.delivered + batches.delivered;
    }
    return delivered;
  }

  /**
   * From here on the subscription gets what is released, but nothing from before its join point.
   *
   * @returns the function that takes it out again
   */
  addEvents(
    subscription: Subscription<EventMessage>,
    topic: string,
    { where, join }: { where: Wish<null>['where']; join: JoinPoint | undefined },
  ): () => void {
    const { events } = this.#audienceOf(topic);
    events.add(subscription, { where, shape: null }, this.#unlessPassed(join));
    return () => {
      events.remove(subscription);
      this.#forgetIfEmpty(topic);
    };
  }

  /** As `addEvents`, in batches. */
  addBatches(
    subscription: Subscription<EventBatch>,
    topic: string,
    { join, ...wish }: Wish<Batching> & { readonly join: JoinPoint | undefined },
  ): () => void {
    const { batches } = this.#audienceOf(topic);
    batches.add(subscription, wish, this.#unlessPassed(join));
    return () => {
      batches.remove(subscription);
      this.#forgetIfEmpty(topic);
    };
  }

  /** Delivers all that is due: the end of a turn. */
  release(): void {
    this.sequencer.release();
    const lowest = () => this.sequencer.position().lowest;
    for (const { events, batches } of this.#audiences.values()) {
      events.flush(lowest);
      batches.flush(lowest);
    }
  }

  /** Ends every subscription, with `error` if there is one. */
  end(error?: Error): void {
    for (const { events, batches } of this.#audiences.values()) {
      events.end(error);
      batches.end(error);
    }
  }

  #deliver(event: Event, late: boolean): void {
    for (const [topic, { events, batches }] of this.#audiences) {
      const message = new EventMessage(topic, event, late);
      events.accept(message, event);
      batches.accept(message, event);
    }
  }

  #unlessPassed(join: JoinPoint | undefined): JoinPoint | undefined {
    // Without offsets: the feed has not begun.
    if (join === undefined || join.from.size === 0) return join;
    return isPassed(join, this.sequencer.position().lowest) ? undefined : join;
  }

  /** Anybody may make up names that lead to the same topic. */
  #forgetIfEmpty(topic: string): void {
    const audience = this.#audiences.get(topic);
    if (audience === undefined) return;
    const { events, batches } = audience;
    if (events.size + batches.size > 0) return;
    this.#retired += events.delivered + batches.delivered;
    this.#audiences.delete(topic);
  }

  #audienceOf(topic: string): Audience {
    const known = this.#audiences.get(topic);
    if (known !== undefined) return known;
    const audience: Audience = {
      events: new Channel<EventMessage, EventMessage, null>(() => new SingleGroup()),
      batches: new Channel<EventMessage, EventBatch, Batching>((batching) => this.#open(batching)),
    };
    this.#audiences.set(topic, audience);
    return audience;
  }

  #open(batching: Batching): BatchGroup {
    return new BatchGroup(batching, {
      clock: this.#clock,
      watermarkMs: () => this.sequencer.watermarkMs,
      onDelivered: (deliveries) => {
        this.#outOfTurn += deliveries;
      },
    });
  }
}
