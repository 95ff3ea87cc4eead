import { KafkaError } from '../port.ts';
import type {
  KafkaClient,
  OffsetPoint,
  PartitionOffsets,
  ReaderOptions,
  TopicDescription,
  TopicReader,
} from '../port.ts';
import { noLeader, topicNotFound } from '../topic-errors.ts';
import { Cluster } from './cluster.ts';
import type { ConnectionSettings } from './connection.ts';
import { errorCode, topicError } from './errors.ts';
import type { TopicMetadata } from './metadata.ts';
import type { FoundOffset, LedPartition } from './offsets.ts';
import { findOffsets } from './offsets.ts';
import { KafkajsReader } from './reader.ts';

/** One login's view of the cluster through kafkajs. */
export class KafkajsClient implements KafkaClient {
  readonly #settings: ConnectionSettings;
  readonly #cluster: Cluster;
  readonly #readers = new Set<KafkajsReader>();

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
      .filter((topic) => topic.errorCode === errorCode.none && !topic.internal)
      .map(({ name }) => name);
  }

  async describeTopics(
    topics: readonly string[],
  ): Promise<Map<string, TopicDescription | KafkaError>> {
    const answers = await this.#metadata(topics);
    return new Map(
      topics.map((topic) => {
        const answer = answers.get(topic);
        return [topic, answer instanceof KafkaError ? answer : description(topic, answer)];
      }),
    );
  }

  async listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
  ): Promise<Map<string, PartitionOffsets | KafkaError>> {
    const answers = await this.#metadata(topics);
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
    const reader = new KafkajsReader(this.#cluster, this.#settings, options);
    this.#readers.add(reader);
    void reader.closed.then(() => this.#readers.delete(reader));
    return reader;
  }

  async close(): Promise<void> {
    const closing = [...this.#readers].map((reader) => reader.close());
    await Promise.all([...closing, this.#cluster.close()]);
  }

  async #metadata(topics: readonly string[]): Promise<Map<string, TopicMetadata | KafkaError>> {
    if (topics.length === 0) return new Map();
    const { topics: described } = await this.#cluster.describe(topics);
    const byName = new Map(described.map((topic) => [topic.name, topic]));
    return new Map(
      topics.map((name) => {
        const topic = byName.get(name);
        if (!topic) return [name, topicNotFound(name)];
        const refused = topic.errorCode !== errorCode.none;
        return [name, refused ? topicError(name, topic.errorCode) : topic];
      }),
    );
  }
}

function description(
  name: string,
  topic: TopicMetadata | undefined,
): TopicDescription | KafkaError {
  if (!topic) return topicNotFound(name);
  const { topicId, partitions } = topic;
  return { name, topicId, partitions: partitions.toSorted((a, b) => a.id - b.id) };
}

/** Of all partitions, or why one of them cannot be told. */
function offsetsOf(
  topic: TopicMetadata,
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
