import { KafkaError } from '../port.ts';
import type { TopicDescription } from '../port.ts';
import type { Brokers, FetchConnection, FetchRequest, LedPartition } from '../reader/brokers.ts';
import { topicNotFound } from '../topic-errors.ts';
import type { FetchAnswer } from '../wire/fetch-answer.ts';
import { isolation } from '../wire/isolation.ts';
import type { Cluster } from './cluster.ts';
import type { BrokerConnection } from './connection.ts';
import { fetchRequest } from './fetch.ts';
import { topicsIn } from './metadata.ts';
import { findOffsets } from './offsets.ts';

/** A reader's view of the cluster. */
export class KafkajsBrokers implements Brokers {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async describe(topic: string): Promise<TopicDescription> {
    const described = topicsIn(await this.#cluster.describe([topic]), [topic]).get(topic);
    if (!described || described instanceof KafkaError) throw described ?? topicNotFound(topic);
    return described;
  }

  async logBounds(
    topic: string,
    partitions: readonly LedPartition[],
    which: 'earliest' | 'latest',
  ): Promise<Map<number, number | KafkaError>> {
    const led = partitions.map(({ id, leader }) => ({ topic, partition: id, leader }));
    const found = await findOffsets(this.#cluster, led, which, isolation.readUncommitted);
    return new Map(found.map(({ partition, offset }) => [partition, offset]));
  }

  connectionTo(nodeId: number): FetchConnection {
    return new KafkajsFetchConnection(this.#cluster.connectionTo(nodeId));
  }
}

class KafkajsFetchConnection implements FetchConnection {
  readonly #connection: BrokerConnection;

  constructor(connection: BrokerConnection) {
    this.#connection = connection;
  }

  get usable(): boolean {
    return this.#connection.usable;
  }

  async open(): Promise<void> {
    await this.#connection.open();
  }

  async fetch(request: FetchRequest): Promise<FetchAnswer> {
    return this.#connection.request(
      fetchRequest(this.#connection, request),
      // kafkajs itself lets the time pass for which it was throttled.
      request.maxWaitMs + request.throttledMs + this.#connection.silenceMs,
    );
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
