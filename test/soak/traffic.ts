import type { KafkaAccess } from '../../scripts/kafka/access.ts';
import { purchases } from '../../scripts/demo/collections.ts';
import { EventStream } from '../../scripts/demo/generator.ts';
import { openKafkaSink } from '../../scripts/demo/kafka-sink.ts';
import { mergePlans, produce } from '../../scripts/demo/produce.ts';
import { demoNaming, topicsOf } from '../../scripts/demo/streams.ts';
import type { SoakTopic } from './ground.ts';

export interface RecordedTopic extends SoakTopic {
  readonly eventsPerSecond: number;
  /** Filler of each event. @default 0 */
  readonly paddingBytes?: number;
}

export interface TrafficOptions {
  readonly topics: readonly RecordedTopic[];
  readonly partitions: number;
  readonly latenessMs: number;
  readonly seed: number;
}

/** What is being recorded. */
export interface Traffic {
  /** And deletes the topics. */
  end(): Promise<void>;
}

/** Creates the topics and records to them as the demo does: out of order, with duplicates and dead letters. */
export async function startTraffic(kafka: KafkaAccess, options: TrafficOptions): Promise<Traffic> {
  const { topics, partitions, latenessMs, seed } = options;
  const sink = await openKafkaSink({ brokers: kafka.bootstrap('admin') });
  const names = topics.flatMap(({ projectId, name }) =>
    Object.values(topicsOf(demoNaming, projectId, name)),
  );
  await sink.createTopics(names, partitions);
  const startMs = Date.now();
  const plans = topics.map(({ projectId, name, eventsPerSecond, paddingBytes = 0 }) => {
    const { topic, deadLetterTopic } = topicsOf(demoNaming, projectId, name);
    const padding = 'x'.repeat(paddingBytes);
    return new EventStream({
      collection: {
        ...purchases,
        properties: (random) => ({ ...purchases.properties(random), padding }),
      },
      topic,
      deadLetterTopic,
      seed,
      startMs,
      eventsPerSecond,
      partitions,
      // Of many events some are late, and the others are not.
      disorder: { latenessMs, maxDelayMs: latenessMs / 2, deadLetterShare: 0.2 },
    });
  });
  const ending = new AbortController();
  const running = produce({
    plan: mergePlans(plans),
    sink,
    signal: ending.signal,
    onTrouble: (reason) => console.error(`nothing can be recorded: ${reason}`),
  });
  return {
    async end() {
      ending.abort();
      await running;
      await sink.close();
      await kafka.administrate((admin) => admin.deleteTopics({ topics: names }));
    },
  };
}
