import type {
  KafkaClient,
  KafkaError,
  OffsetPoint,
  PartitionOffsets,
  ReaderOptions,
  TopicDescription,
  TopicReader,
} from '../port.ts';
import { ClusterReader } from '../reader/cluster-reader.ts';
import { errorCode } from '../wire/error-codes.ts';
import { KafkajsBrokers } from './brokers.ts';
import { Cluster } from './cluster.ts';
import type { ConnectionSettings } from './connection.ts';
import { topicsIn } from './metadata.ts';
import { listOffsets } from './offsets.ts';

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

  listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
  ): Promise<Map<string, PartitionOffsets | KafkaError>> {
    return listOffsets(this.#cluster, topics, at);
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
