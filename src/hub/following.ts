import type { Principal } from '../auth/principal.ts';
import type { Event } from '../decode/event.ts';
import type { Batching } from './batch-group.ts';
import type { DeadLetterStream, LanedDeadLetter } from './dead-letters/dead-letter-stream.ts';
import { all, type Delivery } from './delivery.ts';
import { type JoinPoint, precedes } from './join-point.ts';
import type { DeadLetterMessage, EventBatch, EventMessage } from './message.ts';
import type { EventsRequest } from './requests.ts';
import { BatchExcerpt, EventExcerpt, type EventExcerptOptions } from './resume/excerpt.ts';
import type { Following } from './resume/follower.ts';
import type { Joined, Stream } from './stream.ts';
import type { StreamSubscriber } from './stream-subscriber.ts';
import { Where } from './where.ts';

/** Each event by itself. */
export function eventsOf(
  principal: Principal,
  { topic, where: asked, delivery = all }: EventsRequest,
): Following<Event, Stream, EventMessage> {
  const subscriber = { projectId: principal.projectId, topic };
  const where = Where.of(principal, asked);
  return {
    join: (stream, subscription, join) =>
      stream.addEvents(subscription, subscriber, { where, shape: delivery, join }),
    excerpt: (stream) => {
      const scribe = stream.scribeFor(subscriber);
      const wish = JSON.stringify([subscriber, where.conditions]);
      const sharing = { parcels: stream.played.events, wish };
      return new EventExcerpt(excerptOf(stream, { scribe, where, delivery }), sharing);
    },
    isBefore,
  };
}

function isBefore(join: JoinPoint, { partition, offset, recordedAtMs }: Event): boolean {
  return precedes(join, partition, offset, recordedAtMs);
}

/** Events in batches. */
export function batchesOf(
  principal: Principal,
  {
    topic,
    where: asked,
    delivery = all,
    batching,
  }: EventsRequest & { readonly batching: Batching },
): Following<Event, Stream, EventBatch> {
  const subscriber = { projectId: principal.projectId, topic };
  const where = Where.of(principal, asked);
  const shape = { batching, delivery };
  return {
    join: (stream, subscription, join) =>
      stream.addBatches(subscription, subscriber, { where, shape, join }),
    excerpt: (stream) => {
      const scribe = stream.scribeFor(subscriber);
      const { maxEvents } = batching;
      const options = {
        ...excerptOf(stream, { scribe, where, delivery }),
        maxEvents,
        maxBytes: stream.maxBatchBytes,
        batchOf: (events: readonly EventMessage[]) => scribe.batchOf(events),
      };
      const wish = JSON.stringify([subscriber, where.conditions, maxEvents]);
      return new BatchExcerpt(options, { parcels: stream.played.batches, wish });
    },
    isBefore,
  };
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
