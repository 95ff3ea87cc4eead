import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from '../../../scripts/kafka/kafkajs.ts';
import type { KafkaClient } from '../../../src/kafka/port.ts';
import { ownCluster, uniqueTopic } from '../../support/kafka.ts';
import { RunningTime } from '../../support/running-time.ts';
import { drivers } from './drivers.ts';
import { until } from '../../support/until.ts';
import { assertAllRead, openStream, readWithAll, untilRunning } from './stream.ts';

const node = 1;
/** Short: a login must not be renewed within its first second, which brokers refuse. */
const maxReauthMs = 5_000;
/** How long before its end a login is renewed. */
const renewedBeforeMs = 0.2 * maxReauthMs;

test('what a broker does to its readers', { timeout: 600_000 }, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-faults-'));
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const cluster = await ownCluster(t, { dataDir, maxReauthMs });

  await t.test('it is killed and comes back: nothing lost, nothing repeated', async (t) => {
    const topic = uniqueTopic('acme.killed');
    await cluster.createTopic(topic, { partitions: 3 });
    const tapes = readWithAll(t, cluster, topic, 3);
    const stream = await openStream(t, cluster, topic, 3);
    await stream.more(300);
    for (const tape of tapes.values()) await tape.untilRecords(100);
    await cluster.killNode(node);
    for (const [name, tape] of tapes) {
      await tape.until(() => tape.reader.status.state === 'degraded', `degraded ${name}`);
    }
    await cluster.startNode(node);
    await stream.more(300);
    await stream.end();
    await assertAllRead(cluster, topic, tapes);
    await untilRunning(tapes);
    for (const [name, tape] of tapes) {
      const states = tape.statuses.map(({ state }) => state);
      assert.equal(states.at(0), 'running', name);
      assert.ok(states.includes('degraded'), name);
    }
  });

  await t.test('it wants logins renewed, until the login is revoked', async (t) => {
    const topic = uniqueTopic('acme.renewed');
    const user = uniqueTopic('user');
    await cluster.createTopic(topic, { partitions: 2 });
    await cluster.setAcl(user, { pattern: 'literal', topic });
    await cluster.addScramUser(user, 'user-secret');
    const sasl = { mechanism: 'SCRAM-SHA-256', username: user, password: 'user-secret' } as const;
    const tapes = readWithAll(t, cluster, topic, 2, sasl);
    const stream = await openStream(t, cluster, topic, 2);
    await untilRunning(tapes);
    const running = new RunningTime();
    await sleep(2 * maxReauthMs);
    await stream.end();
    await assertAllRead(cluster, topic, tapes);
    await untilRunning(tapes);
    // Who stands still when its login is to be renewed is hung up on, and comes back.
    const couldRenew = running.longestStandstillMs < renewedBeforeMs / 2;
    for (const [name, tape] of tapes) {
      const states = tape.statuses.map(({ state }) => state);
      if (couldRenew) assert.deepEqual(states, ['running'], name);
    }
    await cluster.removeScramUser(user);
    for (const [name, tape] of tapes) {
      const failure = await tape.untilFailed();
      assert.equal(failure.code, 'AUTHENTICATION_FAILED', name);
    }
  });

  await t.test('it falls silent: noticed within 30 s', async (t) => {
    const topic = uniqueTopic('acme.silent');
    await cluster.createTopic(topic, { partitions: 2 });
    const tapes = readWithAll(t, cluster, topic, 2);
    await untilRunning(tapes);
    await cluster.pauseNode(node);
    try {
      const silent = new RunningTime();
      for (const [name, tape] of tapes) {
        await tape.until(() => tape.reader.status.state === 'degraded', `degraded ${name}`);
        assert.ok(silent.ms < 30_000, `${name} noticed it after ${silent.ms} ms`);
      }
    } finally {
      cluster.resumeNode(node);
    }
    const stream = await openStream(t, cluster, topic, 2);
    await stream.more(40);
    await stream.end();
    await assertAllRead(cluster, topic, tapes);
    await untilRunning(tapes);
  });

  await t.test(
    'it stands still: whoever asks is told so within 10 s, and all is well after',
    async (t) => {
      const topic = uniqueTopic('acme.frozen');
      await cluster.createTopic(topic);
      const askedAll = async (client: KafkaClient): Promise<void> => {
        const questions = [
          client.describeTopics([topic]),
          client.listOffsets([topic], 'latest'),
          client.login(),
        ];
        const asked = new RunningTime();
        const refused = questions.map(async (answered) => {
          await assert.rejects(answered, { code: 'UNAVAILABLE' });
          assert.ok(asked.ms < 10_000, `refused after ${asked.ms} ms`);
        });
        await Promise.all(refused);
      };
      for (const [name, createDriver] of Object.entries(drivers)) {
        const driver = createDriver({
          brokers: cluster.bootstrap('admin'),
          ssl: false,
          clientId: name,
        });
        // One that has connections when it happens, and one that has not.
        const clients = [driver.connect(null), driver.connect(null)];
        for (const client of clients) t.after(() => client.close());
        await clients[0]?.describeTopics([topic]);
        await cluster.pauseNode(node);
        try {
          await Promise.all(clients.map(askedAll));
        } finally {
          cluster.resumeNode(node);
        }
        for (const client of clients) {
          const described = await client.describeTopics([topic]);
          assert.ok(described.get(topic) instanceof Object);
        }
      }
    },
  );

  await t.test(
    'it serves a damaged batch: what is lost is told, and reading goes on',
    async (t) => {
      const topic = uniqueTopic('acme.damaged');
      // It stood still for so long that its controller has given it up: for a moment there is no broker.
      await until('the broker to be taken back', () =>
        cluster.createTopic(topic).then(
          () => true,
          () => false,
        ),
      );
      const producer = cluster.client().producer({ allowAutoTopicCreation: false });
      await producer.connect();
      t.after(() => producer.disconnect());
      await producer.send({ topic, messages: batch(0, 3) });
      const from = await logSize(dataDir, topic);
      await producer.send({
        topic,
        messages: batch(3, 4),
        compression: kafkajs.CompressionTypes.GZIP,
      });
      await producer.send({ topic, messages: batch(7, 3) });
      await damage(dataDir, topic, from);

      const tapes = readWithAll(t, cluster, topic, 1);
      for (const [name, tape] of tapes) {
        await tape.untilPosition(0, 10);
        assert.deepEqual(tape.offsets(0), [0, 1, 2, 7, 8, 9], name);
        const unreadable = tape.batches.flatMap((one) => one.unreadable ?? []);
        assert.deepEqual(
          unreadable.map(({ from, to }) => [from, to]),
          [[3, 7]],
          name,
        );
        assert.ok(unreadable[0]?.reason, name);
      }
    },
  );
});

function batch(from: number, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    partition: 0,
    value: `${from + index}${' filler'.repeat(20)}`,
  }));
}

async function logFile(dataDir: string, topic: string): Promise<string> {
  const folder = join(dataDir, `node-${node}`, `${topic}-0`);
  const segment = (await readdir(folder)).find((name) => name.endsWith('.log'));
  if (segment === undefined) throw new Error(`no segment in ${folder}`);
  return join(folder, segment);
}

async function logSize(dataDir: string, topic: string): Promise<number> {
  const file = await open(await logFile(dataDir, topic));
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Overwrites some of the content of the batch that begins at `batchAt`, behind its header of 61 bytes. */
async function damage(dataDir: string, topic: string, batchAt: number): Promise<void> {
  const file = await open(await logFile(dataDir, topic), 'r+');
  try {
    await file.write(Buffer.alloc(20, 0xee), 0, 20, batchAt + 61 + 12);
  } finally {
    await file.close();
  }
}
