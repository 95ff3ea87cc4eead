import type { TopicResolvers } from '../../../generated/schema.ts';

export const topicResolvers: TopicResolvers = {
  partitions: async ({ kafkaTopic }, _args, { topics }) => {
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
    hub.countsOf(principal, kafkaTopic) ?? {
      state: 'IDLE',
      subscribers: 0,
      received: 0,
      delivered: 0,
      duplicates: 0,
      late: 0,
      held: 0,
      lag: 0,
    },

  deadLetters: async ({ name }, _args, { hub, principal, topics }) => {
    const deadLetters = hub.deadLetterTopic(principal, name);
    const found = await topics.description.load(deadLetters.kafkaTopic);
    return found === null ? null : deadLetters;
  },
};
