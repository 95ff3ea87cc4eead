import type { Event } from '../decode/event.ts';
import type { EventOrder } from '../sequence/order.ts';
import { Sequencer, type SequencerOptions } from '../sequence/sequencer.ts';
import type { EventFilter } from './filter.ts';
import { isPassed, type JoinPoint, precedes } from './join-point.ts';
import type { EventMessage } from './message.ts';
import type { Subscription } from './subscription.ts';

/** What makes two subscriptions of a feed share their work. */
export interface StreamKey {
  readonly order: EventOrder;
  readonly deduplicate: boolean;
}

interface EventSubscriber {
  readonly subscription: Subscription<EventMessage>;
  /** The name that the subscriber knows the topic by: several may lead to one Kafka topic. */
  readonly topic: string;
  readonly filter: EventFilter | undefined;
  /** Until it is passed. */
  join: JoinPoint | undefined;
}

/** A feed's events in one order, sequenced once for all subscribers that want it so. */
export class Stream {
  readonly sequencer: Sequencer;
  readonly #subscribers = new Map<Subscription<EventMessage>, EventSubscriber>();
  /** Those for whom something may still come that was recorded before they were accepted. */
  readonly #newcomers = new Set<EventSubscriber>();
  #delivered = 0;

  constructor(options: Omit<SequencerOptions, 'emit'>) {
    this.sequencer = new Sequencer({
      ...options,
      emit: (event, late) => this.#deliver(event, late),
    });
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Messages handed to subscriptions so far. */
  get delivered(): number {
    return this.#delivered;
  }

  /** From here on the subscription gets what is released, but nothing from before its join point. */
  add(
    subscription: Subscription<EventMessage>,
    { topic, filter, join }: Pick<EventSubscriber, 'topic' | 'filter' | 'join'>,
  ): void {
    const subscriber: EventSubscriber = { subscription, topic, filter, join };
    this.#subscribers.set(subscription, subscriber);
    if (join === undefined) return;
    if (isPassed(join, this.sequencer.position().lowest)) subscriber.join = undefined;
    else this.#newcomers.add(subscriber);
  }

  remove(subscription: Subscription<EventMessage>): void {
    const subscriber = this.#subscribers.get(subscription);
    if (subscriber === undefined) return;
    this.#subscribers.delete(subscription);
    this.#newcomers.delete(subscriber);
  }

  /** Delivers all that is due. */
  release(): void {
    this.sequencer.release();
    if (this.#newcomers.size === 0) return;
    const { lowest } = this.sequencer.position();
    for (const newcomer of this.#newcomers) {
      if (newcomer.join !== undefined && !isPassed(newcomer.join, lowest)) continue;
      newcomer.join = undefined;
      this.#newcomers.delete(newcomer);
    }
  }

  /** Ends every subscription, with `error` if there is one. */
  end(error?: Error): void {
    for (const subscription of this.#subscribers.keys()) subscription.end(error);
  }

  #deliver(event: Event, late: boolean): void {
    // One for all: subscribers rarely know the topic by different names.
    let message: EventMessage | undefined;
    const bytes = event.json.length;
    const { partition, offset, recordedAtMs } = event;
    for (const { subscription, topic, filter, join } of this.#subscribers.values()) {
      if (join !== undefined && precedes(join, partition, offset, recordedAtMs)) continue;
      if (filter !== undefined && !filter(event.payload)) continue;
      this.#delivered += 1;
      if (message?.topic !== topic) message = { topic, event, late };
      subscription.offer(message, bytes);
    }
  }
}
