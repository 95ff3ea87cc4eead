import { KafkaError } from '../port.ts';
import type {
  KafkaClient,
  OffsetPoint,
  PartitionOffsets,
  ReaderOptions,
  TopicDescription,
  TopicReader,
} from '../port.ts';
import { ClusterReader } from '../reader/cluster-reader.ts';
import { noLeader } from '../topic-errors.ts';
import { errorCode } from '../wire/error-codes.ts';
import { KafkajsBrokers } from './brokers.ts';
import { Cluster } from './cluster.ts';
import type { ConnectionSettings } from './connection.ts';
import { topicsIn } from './metadata.ts';
import type { FoundOffset, LedPartition } from './offsets.ts';
import { findOffsets } from './offsets.ts';

/** One login's view of the cluster through kafkajs. */
export class KafkajsClient implements KafkaClient {
  readonly #settings: ConnectionSettings;
  readonly #cluster: Cluster;
  readonly #readers = new Set<ClusterReader>();

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#cluster = new Cluster(settings);
  }

  async login(): Promise<void> {
    await this.#cluster.login();
  }

  async clusterId(): Promise<string> {
    return this.#cluster.clusterId();
  }

  async listTopics(): Promise<string[]> {
    const { topics } = await this.#cluster.describe(null);
    return topics
      .filter((topic) => topic.errorCode === errorCode.NONE && !topic.internal)
      .map(({ name }) => name);
  }

  async describeTopics(
    topics: readonly string[],
  ): Promise<Map<string, TopicDescription | KafkaError>> {
    if (topics.length === 0) return new Map();
    return topicsIn(await this.#cluster.describe(topics), topics);
  }

  async listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
  ): Promise<Map<string, PartitionOffsets | KafkaError>> {
    const answers = await this.describeTopics(topics);
    const led: LedPartition[] = [];
    for (const [topic, answer] of answers) {
      if (answer instanceof KafkaError) continue;
      for (const { id, leader } of answer.partitions) {
        if (leader !== null) led.push({ topic, partition: id, leader });
      }
    }
    const found = Map.groupBy(await findOffsets(this.#cluster, led, at), ({ topic }) => topic);
    return new Map(
      Array.from(answers, ([topic, answer]) => [
        topic,
        answer instanceof KafkaError ? answer : offsetsOf(answer, found.get(topic) ?? []),
      ]),
    );
  }

  openReader(options: ReaderOptions): TopicReader {
    const brokers = new KafkajsBrokers(this.#cluster);
    const reader = new ClusterReader(brokers, options, this.#settings.metadataMaxAgeMs);
    this.#readers.add(reader);
    void reader.closed.then(() => this.#readers.delete(reader));
    return reader;
  }

  async close(): Promise<void> {
    const closing = [...this.#readers].map((reader) => reader.close());
    await Promise.all([...closing, this.#cluster.close()]);
  }
}

/** Of all partitions, or why one of them cannot be told. */
function offsetsOf(
  topic: TopicDescription,
  found: readonly FoundOffset[],
): PartitionOffsets | KafkaError {
  const leaderless = topic.partitions.filter(({ leader }) => leader === null);
  if (leaderless.length > 0) {
    return noLeader(
      topic.name,
      leaderless.map(({ id }) => id),
    );
  }
  const offsets = new Map<number, number>();
  for (const { partition, offset } of found) {
    if (offset instanceof KafkaError) return offset;
    offsets.set(partition, offset);
  }
  return offsets;
}
