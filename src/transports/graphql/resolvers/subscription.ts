import { MillraceError } from '../../../core/errors.ts';
import { parseTimestamp } from '../../../decode/timestamp.ts';
import type {
  SubscriptionDeadLettersArgs,
  SubscriptionEventsArgs,
} from '../../../generated/schema.ts';
import { parseFilter } from '../../../hub/filter.ts';
import type { DeadLetterMessage, EventMessage } from '../../../hub/message.ts';
import type { Subscription } from '../../../hub/subscription.ts';
import type { GraphqlContext } from '../context.ts';

/**
 * Not of the generated type, which has a source yield one message at a time: these yield batches, and
 * `GraphqlEngine` executes the selection for each message of a batch.
 */
export const subscriptionResolvers = {
  events: {
    subscribe: (
      _root: unknown,
      { topic, order, deduplicate, where, since }: SubscriptionEventsArgs,
      { hub, principal }: GraphqlContext,
    ): Promise<Subscription<EventMessage>> =>
      hub.events(principal, {
        topic,
        order: order ?? undefined,
        deduplicate: deduplicate ?? true,
        where: parseFilter(where ?? []),
        sinceMs: instantOf(since, 'since'),
      }),
    resolve: (message: EventMessage) => message,
  },
  deadLetters: {
    subscribe: (
      _root: unknown,
      { topic, since }: SubscriptionDeadLettersArgs,
      { hub, principal }: GraphqlContext,
    ): Promise<Subscription<DeadLetterMessage>> =>
      hub.deadLetters(principal, { topic, sinceMs: instantOf(since, 'since') }),
    resolve: (message: DeadLetterMessage) => message,
  },
};

function instantOf(text: string | null | undefined, argument: string): number | undefined {
  if (text === null || text === undefined) return undefined;
  const timestampUs = parseTimestamp(text);
  if (timestampUs === undefined || timestampUs < 0) {
    throw new MillraceError(
      'BAD_USER_INPUT',
      `${argument} must be an instant since 1970 as RFC 3339 text, such as "2026-11-23T17:00:00Z"`,
      { argument },
    );
  }
  return Math.floor(timestampUs / 1_000);
}
