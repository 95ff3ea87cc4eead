import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLog } from '../../chaos/read-log.ts';
import { subscribers } from '../../support/graphql-client.ts';
import { HeldClock } from '../../support/held-clock.ts';
import { openProducer, ownCluster, type TestProducer } from '../../support/kafka.ts';
import { RunningTime } from '../../support/running-time.ts';
import { feedIs, haveRead } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { watchConnections } from './broker-connections.ts';
import { kafkaClients, type ProjectTopic, reader, runOnKafka } from './real-server.ts';
import { cursorsOf, refusalOf, sequencesOf, subscribeTo } from './typed-loss.ts';

const node = 1;
const maxReauthMs = 4_000;
/** How long there is no broker at all: minutes, where somebody has them. */
const outageMs = Number(process.env['MILLRACE_OUTAGE_MS'] ?? 12_000);
const caughtUpWithinMs = 60_000;

test('what happens to all brokers, to a log and to a login', { timeout: 600_000 }, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-outage-'));
  const kafka = await ownCluster(t, {
    dataDir,
    maxReauthMs,
    properties: { 'log.cleaner.backoff.ms': '200' },
  });
  // Behind the end of the cluster, which writes to the last.
  t.after(() => rm(dataDir, { recursive: true, force: true }));
  const producer = await openProducer(t, kafka);
  const [broker = ''] = kafka.bootstrap('saslPlaintext');

  await t.test(
    'all are down: sockets stay, ready is degraded, live is not, and all is caught up',
    async (t) => {
      const flow: ProjectTopic = { name: 'flow', kafkaTopic: 'acme.flow' };
      const cut: ProjectTopic = { name: 'cut', kafkaTopic: 'acme.cut' };
      await kafka.createTopic(flow.kafkaTopic, { partitions: 3 });
      await kafka.createTopic(cut.kafkaTopic);
      const connections = watchConnections(t, broker);
      const clock = new HeldClock();
      const servers = await Promise.all(
        kafkaClients.map((client) => runOnKafka(t, kafka, client, {}, { clock })),
      );
      // Nothing is late because producer and servers find the brokers again at different times.
      const sendToFlow = (first: number, count: number): Promise<void> =>
        clock.during(async () => {
          await sendNumbered(producer, flow.kafkaTopic, 3, first, count);
          const ends = await kafka.offsets(flow.kafkaTopic);
          for (const server of servers) await haveRead(server, flow.kafkaTopic, ends);
        });
      const flows = servers.flatMap(({ url }) =>
        (['graphql-ws', 'graphql-sse'] as const).map((transport) =>
          subscribers[transport](t, {
            url,
            login: reader,
            query: 'subscription($topic: String!) { events(topic: $topic) { sequence } }',
            variables: { topic: flow.name },
          }),
        ),
      );
      const cuts = servers.map(({ url }) => subscribeTo(t, { url, topic: cut }));
      const ended: unknown[] = [];
      for (const one of [...flows, ...cuts]) void one.ended.then((error) => ended.push(error));
      for (const server of servers) {
        await feedIs(server, flow.kafkaTopic, { subscribers: 2 });
        await feedIs(server, cut.kafkaTopic);
      }
      const expected = Array.from({ length: 60 }, (_, number) => String(number));
      await sendToFlow(0, 30);
      for (const one of flows) await one.atLeast(30);
      await sendNumbered(producer, cut.kafkaTopic, 1, 0, 5);
      const cutAt = (await stat(await segmentOf(dataDir, cut.kafkaTopic))).size;
      await sendNumbered(producer, cut.kafkaTopic, 1, 5, 5);
      for (const one of cuts) await one.atLeast(10);

      await kafka.killNode(node);
      const downAtMs = performance.now();
      const madeBefore = connections.made;
      for (const { url } of servers) {
        await until('ready to say so', async () => (await statusOf(url, 'ready')) === 503);
      }
      while (performance.now() - downAtMs < outageMs) {
        for (const { url } of servers) assert.equal(await statusOf(url, 'live'), 200);
        await until('some time', () => true);
      }
      assert.deepEqual(ended, []);
      // What an unclean election does to a log happens to this one while nobody looks.
      await truncate(await segmentOf(dataDir, cut.kafkaTopic), cutAt);
      const tries = connections.made - madeBefore;
      const triedForMs = performance.now() - downAtMs;

      await kafka.startNode(node);
      const back = new RunningTime();
      await sendToFlow(30, 30);
      for (const one of flows) await one.atLeast(60);
      const caughtUpMs = back.ms;
      for (const one of flows) assert.deepEqual(sequencesOf(one), expected);
      for (const { url } of servers) {
        await until('ready again', async () => (await statusOf(url, 'ready')) === 200);
      }
      assert.ok(caughtUpMs < caughtUpWithinMs, `caught up after ${caughtUpMs} ms`);
      const perSecond = (tries * 1_000) / triedForMs / servers.length;
      t.diagnostic(`caught up after ${Math.round(caughtUpMs)} ms; ${perSecond} connections/s`);
      assert.ok(perSecond <= 10, `${perSecond} connections a second were tried`);

      const lost = { code: 'LOG_TRUNCATED', ranges: [{ partition: 0, from: 5, to: 10 }] };
      for (const [index, one] of cuts.entries()) {
        assert.deepEqual(await refusalOf(one), lost);
        const after = cursorsOf(one).at(-1);
        const url = servers[index]?.url ?? '';
        assert.deepEqual(
          await refusalOf(subscribeTo(t, { url, topic: cut, args: { after } })),
          lost,
        );
      }
    },
  );

  await t.test('compaction leaves holes, and a hole is no gap', async (t) => {
    const topic: ProjectTopic = { name: 'compacted', kafkaTopic: 'acme.compacted' };
    await kafka.createTopic(topic.kafkaTopic, {
      config: {
        'cleanup.policy': 'compact',
        'min.cleanable.dirty.ratio': '0.001',
        'segment.ms': '100',
      },
    });
    const first = await runOnKafka(t, kafka, 'kafkajs');
    const live = subscribeTo(t, { url: first.url, topic });
    await feedIs(first, topic.kafkaTopic);
    // Of each key the newest stays; the newest segment is left alone.
    for (let number = 0; number < 9; number += 1)
      await producer.send(topic.kafkaTopic, [{ ...numbered(0, number), key: `k${number % 3}` }]);
    await until('what is no longer the newest to be gone', async () => {
      await producer.send(topic.kafkaTopic, [{ ...numbered(0, 9), key: 'last' }]);
      const { places } = await readLog(kafka, topic.kafkaTopic);
      return [...places.keys()].join() === 'e6,e7,e8,e9';
    });
    await live.atLeast(10);
    const [beforeHole] = cursorsOf(live);
    for (const client of kafkaClients) {
      // One that remembers nothing, so that it reads the log.
      const { url } = await runOnKafka(t, kafka, client);
      const since = new Date(Date.now() - 60_000).toISOString();
      for (const args of [{ since }, { after: beforeHole }]) {
        const one = subscribeTo(t, { url, topic, args });
        await until('the newest', () => sequencesOf(one).includes('9'));
        assert.deepEqual(sequencesOf(one), ['6', '7', '8', '9']);
      }
    }
  });

  await t.test(
    "the service's password is rotated: no login storm, and no client is blamed",
    async (t) => {
      const user = 'rotated';
      const topic: ProjectTopic = { name: 'rotated', kafkaTopic: 'acme.rotated' };
      await kafka.createTopic(topic.kafkaTopic);
      await kafka.addScramUser(user, 'old');
      await kafka.setAcl(user, { pattern: 'literal', topic: '*' });
      for (const client of kafkaClients) {
        await kafka.addScramUser(user, 'old');
        const server = await runOnKafka(t, kafka, client, {
          MILLRACE_KAFKA_SASL_USERNAME: user,
          MILLRACE_KAFKA_SASL_PASSWORD: 'old',
          MILLRACE_LOG_LEVEL: 'silent',
        });
        const all = Array.from({ length: 50 }, () => subscribeTo(t, { url: server.url, topic }));
        await feedIs(server, topic.kafkaTopic, { subscribers: all.length });
        const connections = watchConnections(t, broker);
        await kafka.addScramUser(user, 'new');
        // Open connections are good until they must renew their login.
        for (const one of all) {
          assert.deepEqual(await refusalOf(one), { code: 'KAFKA_UNAVAILABLE', ranges: undefined });
        }
        await until('ready to say so', async () => (await statusOf(server.url, 'ready')) === 503);
        const again = all.map(() => subscribeTo(t, { url: server.url, topic }));
        for (const one of again) {
          assert.deepEqual(await refusalOf(one), { code: 'KAFKA_UNAVAILABLE', ranges: undefined });
        }
        t.diagnostic(`${client}: ${connections.made} connections for ${all.length} clients, twice`);
        assert.ok(connections.made < all.length / 2, `${connections.made} connections`);
        await server.close();
      }
    },
  );
});

async function statusOf(url: string, name: 'live' | 'ready'): Promise<number> {
  const { status } = await fetch(`${url}/health/${name}`);
  return status;
}

/** So many events from `first` on, over all partitions, of one batch each. */
async function sendNumbered(
  producer: TestProducer,
  kafkaTopic: string,
  partitions: number,
  first: number,
  count: number,
): Promise<void> {
  const nowMs = Date.now();
  const records = Array.from({ length: count }, (_, index) =>
    numbered(index % partitions, first + index, nowMs),
  );
  await producer.send(kafkaTopic, records);
}

/** The order of their own times is that of their numbers. */
function numbered(partition: number, number: number, nowMs = Date.now()) {
  const timestamp = new Date(nowMs)
    .toISOString()
    .replace('Z', `${String(number).padStart(3, '0')}Z`);
  const keen = { id: `e${number}`, timestamp };
  const value = JSON.stringify({ keen, sequence_number: number });
  return { partition, value, timestampMs: nowMs };
}

async function segmentOf(dataDir: string, kafkaTopic: string): Promise<string> {
  const folder = join(dataDir, `node-${node}`, `${kafkaTopic}-0`);
  const segment = (await readdir(folder)).find((name) => name.endsWith('.log'));
  if (segment === undefined) throw new Error(`${kafkaTopic} has no segment`);
  return join(folder, segment);
}

async function truncate(path: string, size: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.truncate(size);
  await file.close();
}
