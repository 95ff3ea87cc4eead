import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Admin, SASLOptions } from 'kafkajs';
import kafkajs from '../../../scripts/kafka/kafkajs.ts';
import { KafkaCluster } from '../../../scripts/kafka/cluster.ts';
import type { Listener } from '../../../scripts/kafka/properties.ts';
import type { SharedKafka } from '../../support/kafka.ts';
import {
  openProducer,
  ownCluster,
  privateTopic,
  sendInTransaction,
  sharedCluster,
  uniqueTopic,
} from '../../support/kafka.ts';

const acme = { mechanism: 'plain', username: 'acme', password: 'acme-master-key' } as const;
const bridge = { username: 'bridge', password: 'bridge-secret' } as const;

test('PLAIN over TLS: the right key is let in, its certificate verified', async (t) => {
  const kafka = await sharedCluster();
  const topic = await privateTopic(t, kafka, 'acme.orders', { partitions: 3 });
  const admin = await login(t, kafka, 'saslSsl', acme);
  // Other files' tests have topics of the project as well.
  const topics = await admin.listTopics();
  assert.ok(topics.includes(topic));
  assert.deepEqual(
    topics.filter((name) => !name.startsWith('acme.')),
    [],
  );
});

test('PLAIN over TLS: a wrong key is refused', async (t) => {
  const kafka = await sharedCluster();
  const wrong = { ...acme, password: 'globex-master-key' };
  await assert.rejects(login(t, kafka, 'saslSsl', wrong), {
    name: 'KafkaJSSASLAuthenticationError',
  });
});

test('TLS: a client that does not trust the certificate does not connect', async (t) => {
  const kafka = await sharedCluster();
  await assert.rejects(login(t, kafka, 'saslSsl', acme, true), /self-signed certificate/);
});

test('a project cannot see the topics of another', async (t) => {
  const kafka = await sharedCluster();
  const topic = await privateTopic(t, kafka, 'globex.orders');
  const admin = await login(t, kafka, 'saslPlaintext', acme);
  assert.ok(!(await admin.listTopics()).includes(topic));
  await assert.rejects(admin.fetchTopicOffsets(topic), { type: 'TOPIC_AUTHORIZATION_FAILED' });
});

test('a project may not create topics', async (t) => {
  const kafka = await sharedCluster();
  const admin = await login(t, kafka, 'saslPlaintext', acme);
  const topics = [{ topic: uniqueTopic('acme.forbidden') }];
  await assert.rejects(admin.createTopics({ topics }), (error) => {
    assert.ok(error instanceof kafkajs.KafkaJSAggregateError);
    assert.match(String(error.errors[0]), /not authorized/i);
    return true;
  });
});

for (const mechanism of ['scram-sha-256', 'scram-sha-512', 'plain'] as const) {
  test(`the service user reads all topics by ${mechanism}`, async (t) => {
    const kafka = await sharedCluster();
    const topic = await privateTopic(t, kafka, 'unprefixed');
    const admin = await login(t, kafka, 'saslSsl', { ...bridge, mechanism });
    assert.equal((await admin.fetchTopicOffsets(topic)).length, 1);
  });
}

test('SCRAM users and ACLs come and go while the cluster runs', async (t) => {
  const kafka = await sharedCluster();
  const topic = await privateTopic(t, kafka, 'unprefixed');
  const name = uniqueTopic('guest');
  const sasl = { mechanism: 'scram-sha-512', username: name, password: 'first' } as const;
  await assert.rejects(login(t, kafka, 'saslPlaintext', sasl), /Authentication failed/);
  await kafka.addScramUser(name, 'first');
  const admin = await login(t, kafka, 'saslPlaintext', sasl);
  await assert.rejects(admin.fetchTopicOffsets(topic), { type: 'TOPIC_AUTHORIZATION_FAILED' });
  await kafka.setAcl(name, { pattern: 'literal', topic });
  assert.equal((await admin.fetchTopicOffsets(topic)).length, 1);
  await kafka.removeAcl(name, { pattern: 'literal', topic });
  await assert.rejects(admin.fetchTopicOffsets(topic), { type: 'TOPIC_AUTHORIZATION_FAILED' });
  await kafka.removeScramUser(name);
  await assert.rejects(login(t, kafka, 'saslPlaintext', sasl), /Authentication failed/);
});

test('OAUTHBEARER: an unsigned token names the user', async (t) => {
  const kafka = await sharedCluster();
  const topic = await privateTopic(t, kafka, 'acme.orders');
  const value = unsignedToken({
    sub: 'acme',
    iat: Date.now() / 1_000,
    exp: Date.now() / 1_000 + 60,
  });
  const oauthBearerProvider = async () => ({ value });
  const admin = await login(t, kafka, 'oauth', { mechanism: 'oauthbearer', oauthBearerProvider });
  assert.equal((await admin.fetchTopicOffsets(topic)).length, 1);
});

test('records go to the partition asked for; an aborted transaction leaves a hole', async (t) => {
  const kafka = await sharedCluster();
  const topic = await privateTopic(t, kafka, 'acme.orders', { partitions: 2 });
  const producer = await openProducer(t, kafka);
  const record = {
    partition: 1,
    key: 'k',
    value: Buffer.from('{}'),
    timestampMs: 1,
    headers: { a: 'b' },
  };
  const sent = await producer.send(topic, [record, { ...record, value: null }], {
    compression: 'gzip',
  });
  assert.deepEqual(sent, [{ partition: 1, baseOffset: 0 }]);
  const aborted = await sendInTransaction(kafka, topic, [record], 'abort');
  assert.deepEqual(aborted, [{ partition: 1, baseOffset: 2 }]);
  // The record and the mark that ends the transaction.
  assert.deepEqual(await kafka.offsets(topic), [
    { partition: 0, low: 0, high: 0 },
    { partition: 1, low: 0, high: 4 },
  ]);
});

test('deleting records moves the start of the log; partitions can be added', async (t) => {
  const kafka = await sharedCluster();
  const topic = await privateTopic(t, kafka, 'acme.orders');
  const producer = await openProducer(t, kafka);
  await producer.send(topic, [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
  await kafka.deleteRecords(topic, 0, 2);
  await kafka.addPartitions(topic, 2);
  assert.deepEqual(await kafka.offsets(topic), [
    { partition: 0, low: 2, high: 3 },
    { partition: 1, low: 0, high: 0 },
  ]);
});

test('a killed node comes back on the same address with its data', async (t) => {
  const kafka = await ownCluster(t);
  const topic = uniqueTopic('acme.orders');
  await kafka.createTopic(topic);
  await (await openProducer(t, kafka)).send(topic, [{ value: 'kept' }]);
  const ended = kafka.untilAllEnded();
  await kafka.killNode(1);
  assert.match(await ended, /^Kafka has ended\. From .*node-1\.log:\n/);
  await assert.rejects(login(t, kafka, 'saslPlaintext', acme), /ECONNREFUSED/);
  await kafka.startNode(1);
  assert.deepEqual(await kafka.offsets(topic), [{ partition: 0, low: 0, high: 1 }]);
  const admin = await login(t, kafka, 'saslSsl', acme);
  assert.deepEqual(await admin.listTopics(), [topic]);
});

test('three nodes: another leads when the leader is killed', async (t) => {
  const kafka = await ownCluster(t, { nodes: 3 });
  const topic = uniqueTopic('acme.orders');
  await kafka.createTopic(topic, { partitions: 3 });
  await (await openProducer(t, kafka)).send(topic, [{ partition: 0, value: 'replicated' }]);
  const killed = await kafka.leader(topic, 0);
  await kafka.killNode(killed);
  // Answers when a new leader serves the partition.
  assert.deepEqual((await kafka.offsets(topic))[0], { partition: 0, low: 0, high: 1 });
  assert.notEqual(await kafka.leader(topic, 0), killed);
  await kafka.startNode(killed);
});

test('a broker that does not start says why', async () => {
  const properties = { 'num.io.threads': 'many' };
  await assert.rejects(KafkaCluster.start({ properties }), {
    name: 'KafkaStartError',
    message: /num\.io\.threads/,
  });
});

test('a cluster does not start where another program listens, and says on which port', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  await assert.rejects(KafkaCluster.start({ firstPort: address.port }), {
    name: 'KafkaStartError',
    message: `Port ${address.port} of 127.0.0.1 is in use; choose another first port.`,
  });
});

test('a cluster in a folder of its own is taken up again', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'millrace-kept-'));
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const first = await KafkaCluster.start({ dataDir });
  await first.createTopic('kept');
  await first.stop();
  const second = await KafkaCluster.start({ dataDir });
  t.after(() => second.stop());
  assert.deepEqual(await second.offsets('kept'), [{ partition: 0, low: 0, high: 0 }]);
});

/** An admin client with this login; rejects with what the first attempt says. */
async function login(
  t: TestContext,
  kafka: SharedKafka,
  listener: Listener,
  sasl: SASLOptions,
  distrust = false,
): Promise<Admin> {
  const admin = new kafkajs.Kafka({
    brokers: kafka.bootstrap(listener),
    ssl: listener === 'saslSsl' && (distrust || { ca: kafka.caPem }),
    // kafkajs keeps the first login in the object that it is given.
    sasl: { ...sasl },
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
  }).admin();
  await admin.connect();
  t.after(() => admin.disconnect());
  return admin;
}

function unsignedToken(claims: object): string {
  const parts = [{ alg: 'none' }, claims].map((part) => JSON.stringify(part));
  return `${parts.map((part) => Buffer.from(part).toString('base64url')).join('.')}.`;
}
