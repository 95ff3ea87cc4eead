import { randomUUID } from 'node:crypto';
import kafkajs from '../../../scripts/kafka/kafkajs.ts';
import type { KafkaAccess } from '../../../scripts/kafka/access.ts';
import type { Listener } from '../../../scripts/kafka/properties.ts';
import { registerCodecs } from '../../../src/kafka/kafkajs/codecs.ts';
import type { KafkaConnectionOptions, KafkaDriver, KafkaSasl } from '../../../src/kafka/port.ts';
import {
  openTransaction,
  sendInTransaction,
  sharedCluster,
  testTenants,
} from '../../support/kafka.ts';
import type {
  Codec,
  ConnectionOverrides,
  KafkaPort,
  KafkaPortSetup,
  Login,
  ProducedRecord,
  ProduceOptions,
} from './setup.ts';

/** The port as a driver implements it on a real cluster, the one that test files share. */
export function clusterPort(
  createDriver: (options: KafkaConnectionOptions) => KafkaDriver,
): KafkaPort {
  return {
    capabilities: {
      mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
      tls: true,
      codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
      brokerCodecs: ['gzip', 'snappy', 'lz4', 'zstd'],
      transactions: true,
      openTransactions: true,
      logAppendTime: true,
    },
    open: async () => clusterSetup(await sharedCluster(), createDriver),
  };
}

async function clusterSetup(
  kafka: KafkaAccess,
  createDriver: (options: KafkaConnectionOptions) => KafkaDriver,
): Promise<KafkaPortSetup> {
  registerCodecs();
  return {
    connect(sasl = null, { tls = false, ...overrides }: ConnectionOverrides = {}) {
      const driver = createDriver({
        brokers: kafka.bootstrap(listenerFor(sasl, tls)),
        ssl: tls ? { ca: kafka.caPem } : false,
        clientId: 'millrace-test',
        ...overrides,
      });
      return driver.connect(sasl);
    },

    async createLogin(mechanism): Promise<Login> {
      if (mechanism === 'PLAIN') return plainLogin();
      const name = `port-${randomUUID()}`;
      await kafka.setAcl(name, { pattern: 'prefixed', topic: `${name}.` });
      if (mechanism === 'OAUTHBEARER') return oauthLogin(name);
      const password = randomUUID();
      await kafka.addScramUser(name, password);
      return {
        sasl: { mechanism, username: name, password },
        prefix: `${name}.`,
        revoke: () => kafka.removeScramUser(name),
      };
    },

    createTopic: (topic, partitions, config = {}) =>
      kafka.createTopic(topic, { partitions, config }),
    deleteTopic: (topic) => kafka.deleteTopic(topic),
    addPartitions: (topic, total) => kafka.addPartitions(topic, total),
    deleteRecords: (topic, partition, beforeOffset) =>
      kafka.deleteRecords(topic, partition, beforeOffset),

    async produce(
      topic: string,
      records: readonly ProducedRecord[],
      { compression = 'none', transaction }: ProduceOptions = {},
    ) {
      if (transaction) {
        await sendInTransaction(kafka, topic, records, transaction, { compression });
        return;
      }
      const messages = records.map(({ partition, key = null, value, timestampMs }) => ({
        partition,
        key,
        value,
        timestamp: String(timestampMs ?? Date.now()),
      }));
      // One for each time: kafkajs keeps to old metadata, and fails over topics that are gone.
      const producer = kafka.client().producer({ allowAutoTopicCreation: false });
      await producer.connect();
      try {
        await producer.send({ topic, messages, compression: compressionTypes[compression] });
      } finally {
        await producer.disconnect();
      }
    },

    async openTransaction(topic, records) {
      const transaction = await openTransaction(kafka);
      await transaction.send(topic, records);
      return transaction;
    },

    close: async () => undefined,
  };
}

const { CompressionTypes } = kafkajs;
const compressionTypes = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const satisfies Record<Codec, number>;

function listenerFor(sasl: KafkaSasl | null, tls: boolean): Listener {
  if (!sasl) return 'admin';
  if (sasl.mechanism === 'OAUTHBEARER') return 'oauth';
  return tls ? 'saslSsl' : 'saslPlaintext';
}

/** The broker's PLAIN users are fixed when it starts. */
function plainLogin(): Login {
  const [{ id, keys }] = testTenants.projects;
  return {
    sasl: { mechanism: 'PLAIN', username: id, password: keys[0] },
    prefix: `${id}.`,
    revoke: () => Promise.reject(new Error('PLAIN users cannot be revoked.')),
  };
}

/** With a token as Kafka takes it when no validator is configured: unsigned (RFC 7515, A.5). */
function oauthLogin(name: string): Login {
  const now = Math.floor(Date.now() / 1000);
  const token = [{ alg: 'none' }, { sub: name, iat: now, exp: now + 3600 }]
    .map((part) => `${Buffer.from(JSON.stringify(part)).toString('base64url')}.`)
    .join('');
  return {
    sasl: { mechanism: 'OAUTHBEARER', token: async () => token },
    prefix: `${name}.`,
    revoke: () => Promise.reject(new Error('Nobody revokes a token.')),
  };
}
