import type { TopicResolvers } from '../../../generated/schema.ts';
import { isFiltered, noCounts } from '../../../hub/visibility.ts';

export const topicResolvers: TopicResolvers = {
  // Empty rather than refused: an overview that asks for all fields must not fail as a whole.
  partitions: async ({ kafkaTopic }, _args, { principal, topics }) => {
    if (isFiltered(principal)) return [];
    const [earliest, latest] = await Promise.all([
      topics.earliest.load(kafkaTopic),
      topics.latest.load(kafkaTopic),
    ]);
    return [...(latest ?? [])]
      .map(([id, latestOffset]) => ({
        id,
        earliestOffset: earliest?.get(id) ?? 0,
        latestOffset,
      }))
      .toSorted((a, b) => a.id - b.id);
  },

  feed: ({ kafkaTopic }, _args, { hub, principal }) =>
    hub.countsOf(principal, kafkaTopic) ?? { ...noCounts, state: 'IDLE' },

  deadLetters: async ({ name }, _args, { hub, principal, topics }) => {
    if (isFiltered(principal)) return null;
    const deadLetters = hub.deadLetterTopic(principal, name);
    const found = await topics.description.load(deadLetters.kafkaTopic);
    return found === null ? null : deadLetters;
  },
};
