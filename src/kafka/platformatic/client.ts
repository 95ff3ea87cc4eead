import type {
  KafkaClient,
  KafkaConnectionOptions,
  KafkaError,
  KafkaSasl,
  OffsetPoint,
  PartitionOffsets,
  ReaderOptions,
  TopicDescription,
  TopicReader,
} from '../port.ts';
import { ClusterReader } from '../reader/cluster-reader.ts';
import { PlatformaticBrokers } from './brokers.ts';
import { Cluster } from './cluster.ts';
import { topicIn } from './metadata.ts';

/** One login's view of the cluster. */
export class PlatformaticClient implements KafkaClient {
  readonly #cluster: Cluster;
  readonly #readers = new Set<ClusterReader>();

  constructor(options: KafkaConnectionOptions, sasl: KafkaSasl | null) {
    this.#cluster = new Cluster(options, sasl);
  }

  login(): Promise<void> {
    return this.#cluster.login();
  }

  async clusterId(): Promise<string> {
    const { clusterId } = await this.#cluster.view([]);
    return clusterId;
  }

  async listTopics(): Promise<string[]> {
    const { topics } = await this.#cluster.view(null);
    return [...topics].filter(([, topic]) => !(topic instanceof Error)).map(([name]) => name);
  }

  async describeTopics(
    topics: readonly string[],
  ): Promise<Map<string, TopicDescription | KafkaError>> {
    if (topics.length === 0) return new Map();
    const view = await this.#cluster.view(topics);
    return new Map(topics.map((topic) => [topic, topicIn(view, topic)]));
  }

  listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
  ): Promise<Map<string, PartitionOffsets | KafkaError>> {
    return this.#cluster.listOffsets(topics, at);
  }

  openReader(options: ReaderOptions): TopicReader {
    const brokers = new PlatformaticBrokers(this.#cluster);
    const reader = new ClusterReader(brokers, options, this.#cluster.options.metadataMaxAgeMs);
    this.#readers.add(reader);
    void reader.closed.then(() => this.#readers.delete(reader));
    return reader;
  }

  async close(): Promise<void> {
    this.#cluster.close();
    await Promise.all(Array.from(this.#readers, (reader) => reader.close()));
  }
}
