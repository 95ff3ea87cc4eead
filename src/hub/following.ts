import type { Principal } from '../auth/principal.ts';
import type { Event } from '../decode/event.ts';
import type { BatchShape } from './audience.ts';
import type { Batching } from './batch-group.ts';
import type { DeadLetterStream, LanedDeadLetter } from './dead-letters/dead-letter-stream.ts';
import { all, type Delivery } from './delivery.ts';
import { type JoinPoint, precedes } from './join-point.ts';
import type { DeadLetterMessage, EventBatch, EventMessage } from './message.ts';
import type { EventsRequest } from './requests.ts';
import {
  BatchExcerpt,
  EventExcerpt,
  type EventExcerptOptions,
  type Excerpt,
} from './resume/excerpt.ts';
import type { Following } from './resume/follower.ts';
import type { Joined, Stream } from './stream.ts';
import type { StreamSubscriber } from './stream-subscriber.ts';
import type { Subscription } from './subscription.ts';
import { Where } from './where.ts';

/** Each event by itself. */
export class EventsFollowing implements Following<Event, Stream, EventMessage> {
  readonly #subscriber: StreamSubscriber;
  readonly #where: Where;
  readonly #delivery: Delivery;

  constructor(principal: Principal, { topic, where, delivery = all }: EventsRequest) {
    this.#subscriber = { projectId: principal.projectId, topic };
    this.#where = Where.of(principal, where);
    this.#delivery = delivery;
  }

  get evaluated(): number {
    return this.#where.evaluated;
  }

  join(stream: Stream, subscription: Subscription<EventMessage>, join?: JoinPoint): Joined {
    const wish = { where: this.#where, shape: this.#delivery, join };
    return stream.addEvents(subscription, this.#subscriber, wish);
  }

  excerpt(stream: Stream): Excerpt<Event, EventMessage> {
    const [where, delivery] = [this.#where, this.#delivery];
    const scribe = stream.scribeFor(this.#subscriber);
    const wish = JSON.stringify([this.#subscriber, where.conditions]);
    const sharing = { parcels: stream.played.events, wish };
    return new EventExcerpt(excerptOf(stream, { scribe, where, delivery }), sharing);
  }

  isBefore(join: JoinPoint, { partition, offset, recordedAtMs }: Event): boolean {
    return precedes(join, partition, offset, recordedAtMs);
  }
}

/** Events in batches. */
export class BatchesFollowing implements Following<Event, Stream, EventBatch> {
  readonly #subscriber: StreamSubscriber;
  readonly #where: Where;
  readonly #shape: BatchShape;

  constructor(principal: Principal, request: EventsRequest & { readonly batching: Batching }) {
    const { topic, where, delivery = all, batching } = request;
    this.#subscriber = { projectId: principal.projectId, topic };
    this.#where = Where.of(principal, where);
    this.#shape = { batching, delivery };
  }

  get evaluated(): number {
    return this.#where.evaluated;
  }

  join(stream: Stream, subscription: Subscription<EventBatch>, join?: JoinPoint): Joined {
    const wish = { where: this.#where, shape: this.#shape, join };
    return stream.addBatches(subscription, this.#subscriber, wish);
  }

  excerpt(stream: Stream): Excerpt<Event, EventBatch> {
    const where = this.#where;
    const { delivery, batching } = this.#shape;
    const scribe = stream.scribeFor(this.#subscriber);
    const { maxEvents } = batching;
    const options = {
      ...excerptOf(stream, { scribe, where, delivery }),
      maxEvents,
      batchOf: (events: readonly EventMessage[]) => scribe.batchOf(events),
    };
    const wish = JSON.stringify([this.#subscriber, where.conditions, maxEvents]);
    return new BatchExcerpt(options, { parcels: stream.played.batches, wish });
  }

  isBefore(join: JoinPoint, { partition, offset, recordedAtMs }: Event): boolean {
    return precedes(join, partition, offset, recordedAtMs);
  }
}

function excerptOf(
  stream: Stream,
  wish: {
    readonly scribe: ReturnType<Stream['scribeFor']>;
    readonly where: Where;
    readonly delivery: Delivery;
  },
): EventExcerptOptions {
  const { scribe, where, delivery } = wish;
  return {
    messageOf: (message) => scribe.messageOf(message),
    passes: where.compile(),
    conflation: delivery.mode === 'ALL' ? undefined : stream.conflation(delivery),
  };
}

export function deadLettersOf(
  subscriber: StreamSubscriber,
  where: Where,
): Following<LanedDeadLetter, DeadLetterStream, DeadLetterMessage> {
  return {
    join: (stream, subscription) => place(stream.add(subscription, subscriber, where)),
    excerpt: (stream) => {
      const messageOf = stream.scribeFor(subscriber);
      return {
        keptFrom: undefined,
        sharing: { parcels: stream.played, wish: JSON.stringify(subscriber) },
        take: (messages) => messages.map((message) => messageOf(message)),
        rest: () => [],
      };
    },
    isBefore: () => false,
  };
}

/** Of one from whom nothing is kept. */
export function place(leave: () => void): Joined {
  return { keptFrom: () => undefined, settle: () => undefined, leave };
}
