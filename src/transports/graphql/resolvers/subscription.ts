import { MillraceError } from '../../../core/errors.ts';
import { parseFilter } from '../../../decode/property-filter.ts';
import type {
  SubscriptionDeadLettersArgs,
  SubscriptionEventBatchesArgs,
  SubscriptionEventsArgs,
} from '../../../generated/schema.ts';
import type { Batching } from '../../../hub/batch-group.ts';
import { parseDelivery } from '../../../hub/delivery.ts';
import type { DeadLetterMessage, EventBatch, EventMessage } from '../../../hub/message.ts';
import type { EventsRequest } from '../../../hub/requests.ts';
import type { Subscription } from '../../../hub/subscription.ts';
import { parseInstant } from '../../instant.ts';
import type { GraphqlContext } from '../context.ts';

/** The least and the most that a batch may be asked to hold, and to wait. */
const batchBounds = { maxEvents: [1, 10_000], maxWaitMs: [0, 60_000] } as const;

/**
 * Not of the generated type, which has a source yield one message at a time: these answer subscriptions
 * of the hub, whose messages the engine executes for all who select the same.
 */
export const subscriptionResolvers = {
  events: {
    subscribe: (
      _root: unknown,
      args: SubscriptionEventsArgs,
      { hub, principal }: GraphqlContext,
    ): Promise<Subscription<EventMessage>> => hub.events(principal, requestOf(args)),
    resolve: (message: EventMessage) => message,
  },
  eventBatches: {
    subscribe: (
      _root: unknown,
      args: SubscriptionEventBatchesArgs,
      { hub, principal }: GraphqlContext,
    ): Promise<Subscription<EventBatch>> =>
      hub.eventBatches(principal, { ...requestOf(args), batching: batchingOf(args) }),
    resolve: (message: EventBatch) => message,
  },
  deadLetters: {
    subscribe: (
      _root: unknown,
      { topic, since, after }: SubscriptionDeadLettersArgs,
      { hub, principal }: GraphqlContext,
    ): Promise<Subscription<DeadLetterMessage>> =>
      hub.deadLetters(principal, { topic, sinceMs: sinceMs(since), after: after ?? undefined }),
    resolve: (message: DeadLetterMessage) => message,
  },
};

function sinceMs(since: string | null | undefined): number | undefined {
  return since === null || since === undefined ? undefined : parseInstant(since, 'since');
}

function requestOf(args: SubscriptionEventsArgs): EventsRequest {
  return {
    topic: args.topic,
    order: args.order ?? undefined,
    deduplicate: args.deduplicate ?? true,
    where: parseFilter(args.where ?? []),
    delivery: parseDelivery(args.delivery),
    sinceMs: sinceMs(args.since),
    after: args.after ?? undefined,
  };
}

function batchingOf({ maxEvents, maxWaitMs }: SubscriptionEventBatchesArgs): Batching {
  return {
    maxEvents: within('maxEvents', maxEvents ?? 100),
    maxWaitMs: within('maxWaitMs', maxWaitMs ?? 100),
  };
}

function within(argument: keyof typeof batchBounds, value: number): number {
  const [least, most] = batchBounds[argument];
  if (value >= least && value <= most) return value;
  throw new MillraceError('BAD_USER_INPUT', `${argument} must be between ${least} and ${most}`, {
    argument,
  });
}
