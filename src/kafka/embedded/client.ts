import { noLeader, notAuthorized, topicNotFound } from '../topic-errors.ts';
import {
  KafkaError,
  type KafkaClient,
  type KafkaSasl,
  type OffsetPoint,
  type PartitionOffsets,
  type ReaderOptions,
  type TopicDescription,
  type TopicReader,
} from '../port.ts';
import type { EmbeddedLog, EmbeddedTopic } from './log.ts';
import type { PartitionLog } from './partition-log.ts';
import { EmbeddedReader } from './reader.ts';

/** The node that leads every partition. */
const nodeId = 1;

/** One login's view of the embedded log. It logs in once, with its first call. */
export class EmbeddedClient implements KafkaClient {
  readonly #kafka: EmbeddedLog;
  readonly #sasl: KafkaSasl | null;
  readonly #readers = new Set<EmbeddedReader>();
  #username: string | null = null;
  #closed = false;

  constructor(kafka: EmbeddedLog, sasl: KafkaSasl | null) {
    this.#kafka = kafka;
    this.#sasl = sasl;
  }

  async login(): Promise<void> {
    this.#assertReachable();
    this.#username = await this.#kafka.users.login(this.#sasl);
  }

  async clusterId(): Promise<string> {
    await this.#connected();
    return this.#kafka.clusterId;
  }

  async listTopics(): Promise<string[]> {
    const username = await this.#connected();
    return this.#kafka.topicNames().filter((name) => this.#kafka.users.mayRead(username, name));
  }

  async describeTopics(
    topics: readonly string[],
  ): Promise<Map<string, TopicDescription | KafkaError>> {
    return this.#ofEach(topics, ({ name, id, partitions }) => ({
      name,
      topicId: id,
      partitions: partitions.map((log) => ({
        id: log.id,
        leader: log.available ? nodeId : null,
        leaderEpoch: 0,
      })),
    }));
  }

  async listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
  ): Promise<Map<string, PartitionOffsets | KafkaError>> {
    return this.#ofEach(topics, ({ name, partitions }) => {
      const leaderless = partitions.find((log) => !log.available);
      if (leaderless) throw noLeader(name, [leaderless.id]);
      return new Map(partitions.map((log) => [log.id, offsetAt(log, at)]));
    });
  }

  openReader(options: ReaderOptions): TopicReader {
    const reader = new EmbeddedReader(this.#kafka, options, {
      locate: () => this.#topicFor(options.topic),
      ended: () => this.#readers.delete(reader),
    });
    this.#readers.add(reader);
    return reader;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#readers, (reader) => reader.close()));
  }

  async #ofEach<T>(
    topics: readonly string[],
    answer: (topic: EmbeddedTopic) => T,
  ): Promise<Map<string, T | KafkaError>> {
    const username = await this.#connected();
    const answers = new Map<string, T | KafkaError>();
    for (const name of topics) {
      try {
        answers.set(name, answer(this.#permitted(username, name)));
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        answers.set(name, error);
      }
    }
    return answers;
  }

  async #topicFor(name: string): Promise<EmbeddedTopic> {
    return this.#permitted(await this.#connected(), name);
  }

  #permitted(username: string, name: string): EmbeddedTopic {
    this.#kafka.assertAvailable();
    if (!this.#kafka.users.mayRead(username, name)) {
      throw notAuthorized(name);
    }
    const topic = this.#kafka.topic(name);
    if (!topic) throw topicNotFound(name);
    return topic;
  }

  async #connected(): Promise<string> {
    this.#assertReachable();
    this.#username ??= await this.#kafka.users.login(this.#sasl);
    return this.#username;
  }

  #assertReachable(): void {
    if (this.#closed) throw new KafkaError('UNAVAILABLE', 'the client is closed');
    this.#kafka.assertAvailable();
  }
}

function offsetAt(log: PartitionLog, at: OffsetPoint): number {
  if (at === 'earliest') return log.startOffset;
  if (at === 'latest') return log.stableOffset;
  return log.offsetForTime(at.timestampMs);
}
