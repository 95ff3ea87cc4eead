import { MillraceError } from '../../../core/errors.ts';
import type { QueryResolvers } from '../../../generated/schema.ts';
import { parseFilter } from '../../../decode/property-filter.ts';
import type { GraphqlContext } from '../context.ts';

export const queryResolvers: QueryResolvers = {
  project: (_root, _args, { principal }) => principal,

  topics: (_root, _args, { hub, principal }) => hub.topics(principal),

  topic: async (_root, { name }, { hub, principal, topics }) => {
    hub.assertReadable(principal, name);
    const topic = hub.topicName(principal, name);
    try {
      return (await topics.description.load(topic.kafkaTopic)) === null ? null : topic;
    } catch (error) {
      // What its feed is doing is known all the same, and it is now that somebody wants to know.
      const isUnavailable = error instanceof MillraceError && error.code === 'KAFKA_UNAVAILABLE';
      if (!isUnavailable || hub.countsOf(principal, topic.kafkaTopic) === undefined) throw error;
      return topic;
    }
  },

  recentEvents: (_root, { topic, last, where }, context) =>
    context.hub.newestEvents(
      context.principal,
      topic,
      recent(last, context),
      parseFilter(where ?? []),
    ),

  recentDeadLetters: (_root, { topic, last }, context) =>
    context.hub.newestDeadLetters(context.principal, topic, recent(last, context)),
};

function recent(last: number | null | undefined, { maxRecent }: GraphqlContext): number {
  const wanted = last ?? 50;
  if (wanted < 1) {
    throw new MillraceError('BAD_USER_INPUT', 'last must be at least 1', { argument: 'last' });
  }
  if (wanted > maxRecent) {
    throw new MillraceError(
      'LIMIT_EXCEEDED',
      `last may be ${maxRecent} at the most (limits.recentEvents)`,
      { limit: 'limits.recentEvents' },
    );
  }
  return wanted;
}
