import {
  KafkaError,
  type KafkaConnectionOptions,
  type KafkaSasl,
  type OffsetPoint,
  type PartitionOffsets,
  type TopicDescription,
} from '../port.ts';
import type { LedPartition } from '../reader/brokers.ts';
import { offsetsWithin, type TopicOffsets } from '../topic-offsets.ts';
import { noLeader, partitionError } from '../topic-errors.ts';
import { isolation, type IsolationLevel } from '../wire/isolation.ts';
import { BrokerConnection, type BrokerAddress } from './broker-connection.ts';
import { listOffsetsApis, wireTimestamp, type OffsetQuestion } from './list-offsets.ts';
import { clusterView, metadataApis, topicIn, type ClusterView } from './metadata.ts';

/** A broker that is silent for so long when asked about the cluster is given up, and another asked. */
const questionSilenceMs = 4_000;

/** The questions that one login asks about the cluster, over one connection to each broker. */
export class Cluster {
  readonly options: KafkaConnectionOptions;
  readonly #sasl: KafkaSasl | null;
  readonly #timeoutMs: number;
  readonly #connections = new Map<string, Opened>();
  #brokers: ReadonlyMap<number, BrokerAddress> = new Map();
  #closed = false;

  constructor(options: KafkaConnectionOptions, sasl: KafkaSasl | null) {
    this.options = options;
    this.#sasl = sasl;
    this.#timeoutMs = Math.min(options.requestTimeoutMs ?? questionSilenceMs, questionSilenceMs);
  }

  /** A connection that the caller owns; of no use before it is opened. @throws {KafkaError} */
  connectionTo(nodeId: number): BrokerConnection {
    return this.#newConnection(this.#addressOf(nodeId));
  }

  async login(): Promise<void> {
    await this.#ofAnyBroker(async (address) => {
      const connection = this.#newConnection(address);
      try {
        await connection.open();
      } finally {
        connection.destroy();
      }
    });
  }

  /** @param topics `null`: all */
  view(topics: readonly string[] | null): Promise<ClusterView> {
    return this.#ofAnyBroker(async (address) => {
      const connection = await this.#connected(address);
      const api = connection.choose(metadataApis);
      const view = clusterView(await connection.request(api, [topics, false], this.#timeoutMs));
      this.#brokers = view.brokers;
      return view;
    });
  }

  /** Up to the last stable offset, unless told otherwise. */
  async listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
    upTo: IsolationLevel = isolation.readCommitted,
  ): Promise<TopicOffsets> {
    if (at === 'earliest' || at === 'latest') return this.#listOffsets(topics, at, upTo);
    // The end first: a record that comes between the two questions must not be passed over.
    const ends = await this.#listOffsets(topics, 'latest', upTo);
    const firsts = await this.#listOffsets(topics, at, upTo);
    for (const [topic, offsets] of firsts) firsts.set(topic, orEnd(offsets, ends.get(topic)));
    return firsts;
  }

  /** Up to the high watermark. Rejects never. */
  async logBounds(
    topic: string,
    partitions: readonly LedPartition[],
    which: 'earliest' | 'latest',
  ): Promise<Map<number, number | KafkaError>> {
    const bounds = new Map<number, number | KafkaError>();
    const questions = new Map<number, OffsetQuestion[]>();
    addQuestions(questions, { name: topic, partitions }, wireTimestamp(which));
    await this.#askLeaders(questions, isolation.readUncommitted, (_topic, partition, offset) =>
      bounds.set(partition, offset),
    );
    return bounds;
  }

  close(): void {
    this.#closed = true;
    for (const { connection } of this.#connections.values()) connection.destroy();
    this.#connections.clear();
  }

  #listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
    upTo: IsolationLevel,
  ): Promise<TopicOffsets> {
    return offsetsWithin(topics, (open) => this.#listOffsetsOnce(open, at, upTo));
  }

  async #listOffsetsOnce(
    topics: readonly string[],
    at: OffsetPoint,
    upTo: IsolationLevel,
  ): Promise<TopicOffsets> {
    const view = await this.view(topics);
    const failures = new Map<string, KafkaError>();
    const found = new Map<string, Map<number, number>>();
    const questions = new Map<number, OffsetQuestion[]>();
    for (const topic of topics) {
      const described = topicIn(view, topic);
      if (described instanceof KafkaError) {
        failures.set(topic, described);
        continue;
      }
      found.set(topic, new Map());
      const leaderless = addQuestions(questions, described, wireTimestamp(at));
      if (leaderless.length > 0) failures.set(topic, noLeader(topic, leaderless));
    }
    await this.#askLeaders(questions, upTo, (topic, partition, offset) => {
      if (offset instanceof KafkaError) failures.set(topic, offset);
      else found.get(topic)?.set(partition, offset);
    });
    return new Map<string, PartitionOffsets | KafkaError>([...found, ...failures]);
  }

  /** Rejects never: what cannot be found out is an error in its place. */
  async #askLeaders(
    questions: ReadonlyMap<number, OffsetQuestion[]>,
    upTo: IsolationLevel,
    tell: (topic: string, partition: number, offset: number | KafkaError) => void,
  ): Promise<void> {
    await Promise.all(
      Array.from(questions, async ([nodeId, question]) => {
        try {
          for (const { name, partitions } of await this.#askLeader(nodeId, question, upTo)) {
            for (const { partitionIndex, errorCode, offset } of partitions) {
              tell(name, partitionIndex, partitionError(name, errorCode) ?? Number(offset));
            }
          }
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error;
          for (const { name, partitions } of question) {
            for (const { partitionIndex } of partitions) tell(name, partitionIndex, error);
          }
        }
      }),
    );
  }

  async #askLeader(nodeId: number, question: OffsetQuestion[], upTo: IsolationLevel) {
    const connection = await this.#connected(this.#addressOf(nodeId));
    const api = connection.choose(listOffsetsApis);
    const answer = await connection.request(api, [-1, upTo, question], this.#timeoutMs);
    return answer.topics;
  }

  #newConnection(address: BrokerAddress): BrokerConnection {
    return new BrokerConnection(address, this.options, this.#sasl);
  }

  #addressOf(nodeId: number): BrokerAddress {
    const address = this.#brokers.get(nodeId);
    if (!address) throw new KafkaError('UNAVAILABLE', `broker ${nodeId} is not in the cluster`);
    return address;
  }

  /** Tries brokers until one answers; a refused login is an answer. */
  async #ofAnyBroker<T>(ask: (address: BrokerAddress) => Promise<T>): Promise<T> {
    let failure = new KafkaError('UNAVAILABLE', 'the client is closed');
    for (const address of this.#candidates()) {
      if (this.#closed) break;
      try {
        return await ask(address);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  /** Those with an open connection first, then the others in any order. */
  #candidates(): BrokerAddress[] {
    const addresses = new Map<string, BrokerAddress>();
    for (const broker of this.options.brokers) addresses.set(broker, parseAddress(broker));
    for (const broker of this.#brokers.values()) addresses.set(keyOf(broker), broker);
    return [...addresses.values()]
      .map((address) => ({ address, rank: this.#isOpen(address) ? -1 : Math.random() }))
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ address }) => address);
  }

  #isOpen(address: BrokerAddress): boolean {
    return this.#connections.get(keyOf(address))?.connection.closed === false;
  }

  #connected(address: BrokerAddress): Promise<BrokerConnection> {
    if (this.#closed) throw new KafkaError('UNAVAILABLE', 'the client is closed');
    const known = this.#connections.get(keyOf(address));
    if (known && !known.connection.closed) return known.ready;
    const connection = this.#newConnection(address);
    const ready = connection.open().then(() => connection);
    this.#connections.set(keyOf(address), { connection, ready });
    return ready;
  }
}

interface Opened {
  readonly connection: BrokerConnection;
  readonly ready: Promise<BrokerConnection>;
}

/** Spreads the partitions of a topic over their leaders. Answers those that have none. */
function addQuestions(
  questions: Map<number, OffsetQuestion[]>,
  { name, partitions }: Pick<TopicDescription, 'name' | 'partitions'>,
  timestamp: bigint,
): number[] {
  const leaderless: number[] = [];
  const byLeader = new Map<number, OffsetQuestion>();
  for (const { id, leader, leaderEpoch } of partitions) {
    if (leader === null) {
      leaderless.push(id);
      continue;
    }
    const question = byLeader.get(leader) ?? { name, partitions: [] };
    byLeader.set(leader, question);
    const currentLeaderEpoch = leaderEpoch ?? -1;
    question.partitions.push({ partitionIndex: id, currentLeaderEpoch, timestamp });
  }
  for (const [leader, question] of byLeader) {
    questions.set(leader, [...(questions.get(leader) ?? []), question]);
  }
  return leaderless;
}

/** -1: no record so late. */
function orEnd(
  offsets: PartitionOffsets | KafkaError,
  ends: PartitionOffsets | KafkaError | undefined,
): PartitionOffsets | KafkaError {
  if (offsets instanceof KafkaError) return offsets;
  if (ends instanceof KafkaError) return ends;
  return new Map(
    Array.from(offsets, ([id, offset]) => [id, offset < 0 ? (ends?.get(id) ?? 0) : offset]),
  );
}

function isUnavailable(error: unknown): error is KafkaError {
  return error instanceof KafkaError && error.code === 'UNAVAILABLE';
}

function keyOf({ host, port }: BrokerAddress): string {
  return `${host}:${port}`;
}

/** `host:port`, `[IPv6]:port`, or a host alone: Kafka's usual port. */
function parseAddress(broker: string): BrokerAddress {
  const { hostname, port } = new URL(`kafka://${broker}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 9092) };
}
