import { setTimeout } from 'node:timers/promises';
import type { KafkaSasl, KafkaTls } from '../../src/kafka/port.ts';
import kafkajs from '../kafka/kafkajs.ts';
import type { DemoRecord } from './record.ts';
import type { RecordSink } from './sink.ts';
import { StartError } from './start-error.ts';

export interface KafkaSinkOptions {
  readonly brokers: readonly string[];
  /** @default false */
  readonly ssl?: KafkaTls | false;
  /** Needs WRITE and CREATE, which the server does not. @default null: no login */
  readonly sasl?: KafkaSasl | null;
}

const createdEveryMs = 100;
const createdWithinTries = 100;

/** Connects. @throws {StartError} if the cluster cannot be reached, or will not have it */
export async function openKafkaSink(options: KafkaSinkOptions): Promise<RecordSink> {
  const { brokers, ssl = false, sasl = null } = options;
  const kafka = new kafkajs.Kafka({
    clientId: 'millrace-demo',
    brokers: [...brokers],
    ssl,
    ...(sasl === null ? {} : { sasl: loginOf(sasl) }),
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 5_000,
    retry: { retries: 3 },
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  const orSayWhy = <T>(attempt: Promise<T>): Promise<T> =>
    attempt.catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StartError(`The Kafka at ${brokers.join(', ')} cannot be used: ${reason}`, {
        cause,
      });
    });
  await orSayWhy(producer.connect());
  /** Topics that were there may have fewer partitions than the plan thinks. */
  const partitionsOf = new Map<string, number>();

  return {
    async createTopics(names, partitions) {
      const admin = kafka.admin();
      try {
        return await orSayWhy(create(admin, names, partitions, partitionsOf));
      } finally {
        await admin.disconnect();
      }
    },

    async send(records) {
      const byTopic = Map.groupBy(records, ({ topic }) => topic);
      const topicMessages = Array.from(byTopic, ([topic, of]) => ({
        topic,
        messages: of.map((record) => messageOf(record, partitionsOf)),
      }));
      await producer.sendBatch({ topicMessages, acks: -1 });
    },

    close: () => producer.disconnect(),
  };
}

async function create(
  admin: kafkajs.Admin,
  names: readonly string[],
  partitions: number,
  partitionsOf: Map<string, number>,
): Promise<string[]> {
  await admin.connect();
  const existing = new Set(await admin.listTopics());
  const missing = names.filter((name) => !existing.has(name));
  if (missing.length > 0) {
    const topics = missing.map((topic) => ({ topic, numPartitions: partitions }));
    await admin.createTopics({ topics, waitForLeaders: false });
  }
  const { topics } = await onceCreated(() => admin.fetchTopicMetadata({ topics: [...names] }));
  for (const { name, partitions } of topics) partitionsOf.set(name, partitions.length);
  // Leaders are named before they lead: until then nobody can read either.
  for (const topic of missing) await onceCreated(() => admin.fetchTopicOffsets(topic));
  return missing;
}

/** Asks again while the cluster has not heard everywhere of topics that it has just created. */
async function onceCreated<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let triesLeft = createdWithinTries; ; triesLeft--) {
    try {
      return await ask();
    } catch (error) {
      const mayPass =
        error instanceof kafkajs.KafkaJSNumberOfRetriesExceeded ||
        (error instanceof kafkajs.KafkaJSError && error.retriable);
      if (!mayPass || triesLeft === 0) throw error;
      await setTimeout(createdEveryMs);
    }
  }
}

function messageOf(
  { topic, partition, value, timestampMs }: DemoRecord,
  partitionsOf: ReadonlyMap<string, number>,
): kafkajs.Message {
  const partitions = partitionsOf.get(topic);
  // To guess one would put a whole topic into its first partition.
  if (partitions === undefined) throw new Error(`${topic} was sent to before it was created`);
  return { value, partition: partition % partitions, timestamp: String(timestampMs) };
}

function loginOf(sasl: KafkaSasl): kafkajs.SASLOptions {
  switch (sasl.mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username: sasl.username, password: sasl.password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username: sasl.username, password: sasl.password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username: sasl.username, password: sasl.password };
    case 'OAUTHBEARER': {
      const { token } = sasl;
      return {
        mechanism: 'oauthbearer',
        oauthBearerProvider: async () => ({ value: await token() }),
      };
    }
  }
}
