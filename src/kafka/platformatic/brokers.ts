import { KafkaError } from '../port.ts';
import type { TopicDescription } from '../port.ts';
import type { Brokers, FetchConnection, FetchRequest, LedPartition } from '../reader/brokers.ts';
import type { FetchAnswer } from '../wire/fetch-answer.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Cluster } from './cluster.ts';
import { fetchApisFor, fetchParameters } from './fetch.ts';
import { topicIn } from './metadata.ts';

/** A reader's view of the cluster. */
export class PlatformaticBrokers implements Brokers {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async describe(topic: string): Promise<TopicDescription> {
    const described = topicIn(await this.#cluster.view([topic]), topic);
    if (described instanceof KafkaError) throw described;
    return described;
  }

  logBounds(
    topic: string,
    partitions: readonly LedPartition[],
    which: 'earliest' | 'latest',
  ): Promise<Map<number, number | KafkaError>> {
    return this.#cluster.logBounds(topic, partitions, which);
  }

  connectionTo(nodeId: number): FetchConnection {
    return new PlatformaticFetchConnection(this.#cluster.connectionTo(nodeId));
  }
}

class PlatformaticFetchConnection implements FetchConnection {
  readonly #connection: BrokerConnection;

  constructor(connection: BrokerConnection) {
    this.#connection = connection;
  }

  get usable(): boolean {
    return !this.#connection.closed;
  }

  open(): Promise<void> {
    return this.#connection.open();
  }

  async fetch(request: FetchRequest): Promise<FetchAnswer> {
    const api = this.#connection.choose(fetchApisFor(request));
    const silenceMs = this.#connection.silenceMs;
    const timeoutMs = request.maxWaitMs + request.throttledMs + silenceMs;
    return this.#connection.request(api, fetchParameters(api.version, request), timeoutMs);
  }

  async close(): Promise<void> {
    this.#connection.destroy();
  }
}
