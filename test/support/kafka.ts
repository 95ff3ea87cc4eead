import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { Producer } from 'kafkajs';
import kafkajs from '../../scripts/kafka/kafkajs.ts';
import type { KafkaCoordinates, TopicOptions } from '../../scripts/kafka/access.ts';
import { KafkaAccess } from '../../scripts/kafka/access.ts';
import type { KafkaClusterOptions } from '../../scripts/kafka/cluster.ts';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { until } from '../../scripts/kafka/until.ts';

/** Where `npm test` tells the test files about the cluster that it started: `KafkaCoordinates` as JSON. */
export const testKafkaVariable = 'TEST_KAFKA';

/** Who exists on every test cluster. */
export const testTenants = {
  /** Read `acme.*` and `globex.*`; PLAIN with the first key. */
  projects: [
    { id: 'acme', keys: ['acme-master-key'] },
    { id: 'globex', keys: ['globex-master-key'] },
  ],
  /** Reads all topics; PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  users: [
    { name: 'bridge', password: 'bridge-secret', acls: [{ pattern: 'literal', topic: '*' }] },
  ],
} as const satisfies KafkaClusterOptions;

/** The one-node cluster that all test files share: its topics are, so make your own. */
export type SharedKafka = KafkaAccess;

let started: Promise<SharedKafka> | null = null;

/**
 * The cluster of `npm test`; in a test file that is run by itself, a cluster that ends with it.
 * @throws {KafkaStartError} that says what is missing on this machine
 */
export function sharedCluster(): Promise<SharedKafka> {
  started ??= openShared();
  return started;
}

async function openShared(): Promise<SharedKafka> {
  const told = process.env[testKafkaVariable];
  if (told !== undefined) {
    const coordinates: KafkaCoordinates = JSON.parse(told);
    return new KafkaAccess(coordinates);
  }
  const cluster = await KafkaCluster.start(testTenants);
  cluster.unref();
  return cluster;
}

/** A cluster that the test may break, with the same tenants. Stopped after the test. */
export async function ownCluster(
  t: TestContext,
  options: KafkaClusterOptions = {},
): Promise<KafkaCluster> {
  const cluster = await KafkaCluster.start({ ...testTenants, ...options });
  t.after(() => cluster.stop());
  return cluster;
}

/** A name that no other test has: `acme.orders` becomes `acme.orders-4f1c...`. */
export function uniqueTopic(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** Creates a topic of a unique name, which is deleted after the test. Answers the name. */
export async function privateTopic(
  t: TestContext,
  kafka: KafkaAccess,
  prefix: string,
  options: TopicOptions = {},
): Promise<string> {
  const topic = uniqueTopic(prefix);
  await kafka.createTopic(topic, options);
  t.after(() => kafka.deleteTopic(topic));
  return topic;
}

export interface TestRecord {
  /** @default by key, else any */
  readonly partition?: number;
  readonly key?: Buffer | string | null;
  /** `null`: a tombstone. */
  readonly value: Buffer | string | null;
  /** Milliseconds since 1970. @default now */
  readonly timestampMs?: number;
  readonly headers?: Readonly<Record<string, Buffer | string>>;
}

/** snappy, lz4 and zstd need a codec registered with kafkajs. */
export type TestCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface SendOptions {
  /** @default 'none' */
  readonly compression?: TestCompression;
}

/** Where one partition's records begin. */
export interface SentRange {
  readonly partition: number;
  readonly baseOffset: number;
}

/** Writes to the cluster as the administrator. */
export interface TestProducer {
  /** One batch for each partition. Resolves when all in-sync replicas have it. */
  send(
    topic: string,
    records: readonly TestRecord[],
    options?: SendOptions,
  ): Promise<readonly SentRange[]>;
}

const { CompressionTypes } = kafkajs;
const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const satisfies Record<TestCompression, number>;

/** Closed after the test. */
export async function openProducer(t: TestContext, kafka: KafkaAccess): Promise<TestProducer> {
  const producer = kafka.client().producer({ allowAutoTopicCreation: false });
  await producer.connect();
  t.after(() => producer.disconnect());
  return {
    send: (topic, records, options) => send(producer, topic, records, options),
  };
}

/**
 * Writes the records in one transaction and commits or aborts it. Resolves when readers are past
 * it, so the partitions must hold no other open transaction.
 */
export async function sendInTransaction(
  kafka: KafkaAccess,
  topic: string,
  records: readonly TestRecord[],
  end: 'commit' | 'abort',
  options: SendOptions = {},
): Promise<readonly SentRange[]> {
  const transaction = await openTransaction(kafka);
  const sent = await transaction.send(topic, records, options);
  await transaction[end]();
  // The mark that ends it is written after the answer.
  await until(async () => {
    const ranges = await kafka.offsets(topic);
    return sent.every(({ partition, baseOffset }) =>
      ranges.some((range) => range.partition === partition && range.high > baseOffset),
    );
  });
  return sent;
}

/** A transaction under way. */
export interface TestTransaction extends TestProducer {
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** A transaction that stays open, and holds readers back, until one of its ends is called. */
export async function openTransaction(kafka: KafkaAccess): Promise<TestTransaction> {
  const producer = kafka.client().producer({
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionalId: randomUUID(),
  });
  await producer.connect();
  const transaction = await producer.transaction();
  return {
    send: (topic, records, options) => send(transaction, topic, records, options),
    async commit() {
      await transaction.commit();
      await producer.disconnect();
    },
    async abort() {
      await transaction.abort();
      await producer.disconnect();
    },
  };
}

async function send(
  producer: Pick<Producer, 'send'>,
  topic: string,
  records: readonly TestRecord[],
  { compression = 'none' }: SendOptions = {},
): Promise<readonly SentRange[]> {
  const messages = records.map(({ partition, key = null, value, timestampMs, headers }) => ({
    key,
    value,
    ...(partition === undefined ? {} : { partition }),
    ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
  }));
  const sent = await producer.send({
    topic,
    messages,
    acks: -1,
    compression: compressionTypes[compression],
  });
  return sent.map(({ partition, baseOffset }) => ({
    partition,
    baseOffset: Number(baseOffset ?? '-1'),
  }));
}
