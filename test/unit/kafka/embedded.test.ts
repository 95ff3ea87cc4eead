import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../src/core/clock.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import type { EmbeddedUser } from '../../../src/kafka/embedded/users.ts';
import type { KafkaSasl } from '../../../src/kafka/port.ts';
import { describeKafkaPort } from '../../conformance/kafka-port.ts';
import type { KafkaPortSetup } from '../../conformance/kafka-port/setup.ts';

const administrator = { username: 'administrator', password: 'administrator-secret' };

describeKafkaPort('embedded', {
  capabilities: {
    mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
    tls: false,
    codecs: ['none'],
    transactions: true,
    openTransactions: true,
    logAppendTime: false,
  },
  open: async () => setUp(),
});

function setUp(): KafkaPortSetup {
  const users: EmbeddedUser[] = [administrator];
  const kafka = new EmbeddedKafka({ clock: systemClock, users });
  const unreachable = new EmbeddedKafka({ clock: systemClock });
  unreachable.setAvailable(false);
  return {
    connect(sasl = null, { brokers } = {}) {
      const login = sasl ?? ({ mechanism: 'PLAIN', ...administrator } as const);
      return (brokers ? unreachable : kafka).driver().connect(login);
    },
    async createLogin(mechanism) {
      const prefix = `${randomUUID()}.`;
      const user = {
        username: randomUUID(),
        password: randomUUID(),
        mayRead: (topic: string) => topic.startsWith(prefix),
      };
      users.push(user);
      kafka.setUsers(users);
      return {
        sasl: loginOf(user, mechanism),
        prefix,
        async revoke() {
          users.splice(users.indexOf(user), 1);
          kafka.setUsers(users);
        },
      };
    },
    createTopic: async (topic, partitions) => kafka.createTopic(topic, partitions),
    deleteTopic: async (topic) => kafka.deleteTopic(topic),
    async addPartitions(topic, total) {
      kafka.addPartitions(topic, total - (kafka.topic(topic)?.partitions.length ?? 0));
    },
    deleteRecords: async (topic, partition, before) =>
      kafka.deleteRecords(topic, partition, before),
    async produce(topic, records, { transaction } = {}) {
      if (transaction !== 'abort') for (const record of records) kafka.append(topic, record);
      const counts = Map.groupBy(records, (record) => record.partition);
      for (const [partition, { length }] of counts) {
        if (transaction === 'abort') kafka.appendHole(topic, partition, length);
        // The control record that ends a transaction.
        if (transaction) kafka.appendHole(topic, partition, 1);
      }
    },
    async openTransaction(topic, records) {
      const partitions = new Set(records.map((record) => record.partition));
      for (const partition of partitions) {
        const from = kafka.topic(topic)?.partitions[partition]?.endOffset ?? 0;
        kafka.holdBack(topic, partition, from);
      }
      for (const record of records) kafka.append(topic, record);
      return {
        async commit() {
          for (const partition of partitions) {
            kafka.appendHole(topic, partition, 1);
            kafka.holdBack(topic, partition, null);
          }
        },
        abort: () => Promise.reject(new Error('The embedded log does not take records back.')),
      };
    },
    close: async () => undefined,
  };
}

function loginOf(user: EmbeddedUser, mechanism: KafkaSasl['mechanism']): KafkaSasl {
  if (mechanism === 'OAUTHBEARER') return { mechanism, token: async () => user.password };
  return { mechanism, username: user.username, password: user.password };
}
