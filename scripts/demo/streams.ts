import { kafkaTopic } from '../../src/decode/topic-name.ts';
import { collections } from './collections.ts';
import { EventStream } from './generator.ts';

/** How Kafka calls the demo's topics. */
export interface TopicNaming {
  /** As `kafka.topicTemplate`. */
  readonly topicTemplate: string;
  /** As `kafka.deadLetterSuffix`. */
  readonly deadLetterSuffix: string;
}

export const demoNaming: TopicNaming = {
  topicTemplate: '{projectId}.{topic}',
  deadLetterSuffix: '-dlq',
};

export const demoPartitions = 9;

export interface DemoStreamsOptions extends TopicNaming {
  readonly projectIds: readonly string[];
  readonly seed: number;
  readonly startMs: number;
  /** Multiplies the rates of all collections. */
  readonly rate: number;
}

/** Kafka's names of a collection's topic and of its dead-letter topic. */
export function topicsOf(
  naming: TopicNaming,
  projectId: string,
  collection: string,
): { readonly topic: string; readonly deadLetterTopic: string } {
  const of = (topic: string) => kafkaTopic(naming.topicTemplate, { projectId, topic });
  return { topic: of(collection), deadLetterTopic: of(collection + naming.deadLetterSuffix) };
}

/** Of all projects and collections. */
export function demoTopics(naming: TopicNaming, projectIds: readonly string[]): string[] {
  return projectIds.flatMap((projectId) =>
    collections.flatMap(({ name }) => Object.values(topicsOf(naming, projectId, name))),
  );
}

/** One stream for each collection of each project. */
export function demoStreams(options: DemoStreamsOptions): EventStream[] {
  const { projectIds, seed, startMs, rate } = options;
  return projectIds.flatMap((projectId) =>
    collections.map((collection) => {
      const topics = topicsOf(options, projectId, collection.name);
      const eventsPerSecond = collection.eventsPerSecond * rate;
      const partitions = demoPartitions;
      return new EventStream({ collection, ...topics, seed, startMs, eventsPerSecond, partitions });
    }),
  );
}

/** What the streams of so many projects write, in a few words. */
export function describeStreams(projects: number, rate: number): string {
  const names = collections.map(({ name }) => name).join(', ');
  const perSecond = collections.reduce((sum, { eventsPerSecond }) => sum + eventsPerSecond, 0);
  const total = Math.round(perSecond * projects * rate * 10) / 10;
  return `${names}: ${total} a second, out of order, with duplicates and dead letters`;
}
