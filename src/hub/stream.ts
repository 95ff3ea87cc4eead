import type { Event } from '../decode/event.ts';
import type { EventOrder } from '../sequence/order.ts';
import { Sequencer, type SequencerOptions } from '../sequence/sequencer.ts';
import type { EventFilter } from './filter.ts';
import type { EventMessage } from './message.ts';
import type { Subscription } from './subscription.ts';

/** What makes two subscriptions of a feed share their work. */
export interface StreamKey {
  readonly order: EventOrder;
  readonly deduplicate: boolean;
}

interface EventSubscriber {
  readonly subscription: Subscription<EventMessage>;
  readonly filter: EventFilter | undefined;
  /**
   * Events below these offsets were recorded before the subscription was accepted; some may still
   * have waited in the buffer then. Undefined when none did.
   */
  readonly start: ReadonlyMap<number, number> | undefined;
}

/** A feed's events in one order, sequenced once for all subscribers that want it so. */
export class Stream {
  readonly sequencer: Sequencer;
  readonly #topic: string;
  readonly #subscribers = new Map<Subscription<EventMessage>, EventSubscriber>();
  #delivered = 0;

  constructor(topic: string, options: Omit<SequencerOptions, 'emit'>) {
    this.#topic = topic;
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

  /** From here on the subscription gets what is released, but nothing that was recorded before. */
  add(subscription: Subscription<EventMessage>, filter: EventFilter | undefined): void {
    const start = this.sequencer.held > 0 ? new Map(this.sequencer.position().next) : undefined;
    this.#subscribers.set(subscription, { subscription, filter, start });
  }

  remove(subscription: Subscription<EventMessage>): void {
    this.#subscribers.delete(subscription);
  }

  /** Ends every subscription, with `error` if there is one. */
  end(error?: Error): void {
    for (const subscription of this.#subscribers.keys()) subscription.end(error);
  }

  #deliver(event: Event, late: boolean): void {
    const message: EventMessage = { topic: this.#topic, event, late };
    const bytes = event.json.length;
    for (const { subscription, filter, start } of this.#subscribers.values()) {
      if (start !== undefined && event.offset < (start.get(event.partition) ?? 0)) continue;
      if (filter !== undefined && !filter(event.payload)) continue;
      this.#delivered += 1;
      subscription.offer(message, bytes);
    }
  }
}
