import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import type { ChaosTopic } from '../../chaos/event.ts';
import { explain } from '../../chaos/explain.ts';
import { isClean, judge, verdictOf } from '../../chaos/judge.ts';
import { Load } from '../../chaos/load.ts';
import { readLog } from '../../chaos/read-log.ts';
import { Subscriber, type SubscriberOptions } from '../../chaos/subscriber.ts';
import { Dice } from '../../model/dice.ts';
import { configFile } from '../../support/config-file.ts';
import { basic } from '../../support/graphql-client.ts';
import { openProducer, type SharedKafka, sharedCluster, testTenants } from '../../support/kafka.ts';
import { digestOf } from '../../support/server.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { serviceSettings } from '../../support/service-settings.ts';
import { until } from '../../support/until.ts';
import { projectTopic, reader } from './real-server.ts';

const [bridge] = testTenants.users;
const partitions = 3;

/** Servers on the cluster, each a process; they go with the test. */
async function startServers(
  t: TestContext,
  kafka: SharedKafka,
  count: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<ServerProcess[]> {
  const ports = await freePorts(count);
  const servers = ports.map(
    (port) =>
      new ServerProcess({
        ...serviceSettings(kafka, port, 'kafkajs'),
        MILLRACE_TOPICS_DEFAULTS_LATENESS: '1s',
        ...settings,
      }),
  );
  t.after(() => Promise.all(servers.map((server) => server.kill())));
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

/** Events, for as long as `run` takes: they must end before their topic does. */
async function underLoad(
  kafka: SharedKafka,
  topic: ChaosTopic,
  run: (load: Load) => Promise<void>,
): Promise<void> {
  const load = new Load(kafka, { topic, partitions, eventsPerSecond: 100, dice: new Dice(1) });
  await load.start();
  try {
    await run(load);
  } finally {
    await load.end();
  }
}

async function readiness(url: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}/health/ready`);
  return { status: response.status, body: await response.json() };
}

/** A subscription over a socket of its own that was accepted. */
async function subscribe(t: TestContext, url: string, topic: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/feeds/${topic}`, 'millrace.v1', {
    headers: { authorization: basic(reader) },
  });
  t.after(() => socket.terminate());
  const closed = once(socket, 'close');
  let events = -1;
  const ready = once(socket, 'message');
  socket.on('message', () => {
    events += 1;
  });
  await ready;
  return { socket, closed, hasEvents: () => events > 0 };
}

test('at SIGTERM under load the server is not ready first, then closes with 1012, and ends', async (t) => {
  const kafka = await sharedCluster();
  const topic = { projectId: 'acme', ...(await projectTopic(t, kafka, 'drain', { partitions })) };
  const [server] = await startServers(t, kafka, 1, { MILLRACE_SHUTDOWN_READY_DELAY: '8s' });
  assert.ok(server);
  await underLoad(kafka, topic, () => terminated(t, server, topic.name));
});

async function terminated(t: TestContext, server: ServerProcess, topic: string): Promise<void> {
  const { url } = server;
  const clients = await Promise.all(Array.from({ length: 30 }, () => subscribe(t, url, topic)));
  await until('all to have events', () => clients.every(({ hasEvents }) => hasEvents()));
  const events = await fetch(`${url}/feeds/${topic}`, {
    headers: { authorization: basic(reader), accept: 'text/event-stream' },
  });
  const wholeStream = events.text();
  // A client that answers nothing, not even the closing handshake.
  const mute = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => mute.destroy());
  mute.write(
    `GET /feeds/${topic} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
      'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
      `sec-websocket-protocol: millrace.v1\r\nauthorization: ${basic(reader)}\r\n\r\n`,
  );
  await once(mute, 'readable');
  assert.deepEqual(await readiness(url), { status: 200, body: { status: 'ready' } });

  const ended = server.terminate();
  await until('it to be draining', async () => (await readiness(url)).status === 503);
  assert.deepEqual(await readiness(url), { status: 503, body: { status: 'draining' } });
  assert.equal((await fetch(`${url}/health/live`)).status, 200);
  // It serves on: nobody was told yet, and who comes now is let in.
  assert.ok(clients.every(({ socket }) => socket.readyState === WebSocket.OPEN));
  clients.push(await subscribe(t, url, topic));
  for (const { closed } of clients) {
    const [code, reason] = await closed;
    assert.equal(code, 1012);
    assert.match(String(reason), /restarting/);
  }
  assert.match(await wholeStream, /\n\nretry: \d+\n\n$/);
  const tookMs = await ended;
  assert.ok(tookMs < 30_000, `${tookMs} ms`);
  await assert.rejects(readiness(url));
}

const shapes: readonly Pick<SubscriberOptions, 'transport' | 'field' | 'order'>[] = [
  { transport: 'graphql-ws', field: 'events', order: 'TIMESTAMP' },
  { transport: 'graphql-sse', field: 'events', order: 'TIMESTAMP' },
  { transport: 'graphql-ws', field: 'eventBatches', order: 'SEQUENCE' },
  { transport: 'graphql-sse', field: 'eventBatches', order: 'ARRIVAL' },
];

test('a rolling restart of two servers under load is invisible to clients with cursors', async (t) => {
  const kafka = await sharedCluster();
  const topic = { projectId: 'acme', ...(await projectTopic(t, kafka, 'rolling', { partitions })) };
  const servers = await startServers(t, kafka, 2, { MILLRACE_SHUTDOWN_READY_DELAY: '0' });
  const urls = servers.map(({ url }) => url);
  const sinceMs = Date.now();
  const subscribers = [...shapes, ...shapes].map(
    (shape, index) =>
      new Subscriber({
        ...shape,
        topic,
        login: reader,
        comingBack: 'cursor',
        urls,
        sinceMs,
        dice: new Dice(index),
      }),
  );
  t.after(() => subscribers.forEach((subscriber) => subscriber.stop()));
  await underLoad(kafka, topic, async (load) => {
    for (const subscriber of subscribers) subscriber.start();
    await until('everyone to have events', () => subscribers.every(({ got }) => got.length > 0));

    for (const server of servers) {
      await server.terminate();
      await server.start();
      const before = subscribers.map(({ got }) => got.length);
      await until('everyone to go on', () =>
        subscribers.every(({ got }, index) => got.length > (before[index] ?? 0) + 50),
      );
    }
    await load.end();
    await until('everyone to have everything', () =>
      subscribers.every(({ ids }) => [...load.acknowledged.keys()].every((id) => ids.has(id))),
    );
    const log = await readLog(kafka, topic.kafkaTopic);
    for (const subscriber of subscribers) {
      const anomalies = judge(subscriber, log);
      const verdict = verdictOf(anomalies);
      const details = explain(anomalies, subscriber, log).join('\n');
      assert.ok(isClean(verdict), `${subscriber.name}: ${JSON.stringify(verdict)}\n${details}`);
      assert.deepEqual(subscriber.errors, []);
    }
    // Each was on one of the two.
    const resumes = subscribers.reduce((sum, { resumes }) => sum + resumes, 0);
    assert.ok(resumes >= subscribers.length, `${resumes} resumes`);
  });
});

function fileWith(kafka: SharedKafka, keys: readonly string[], more: string): string {
  const list = keys.map((key) => `{ name: ${key}, kind: read, sha256: ${digestOf(key)} }`);
  return `
listen: { port: 0 }
kafka:
  brokers: [${kafka.bootstrap('saslPlaintext').join()}]
  credentials: service
  sasl: { mechanism: SCRAM-SHA-512, username: ${bridge.name}, password: ${bridge.password} }
  topicTemplate: "{projectId}.{topic}"
auth: { projects: [{ id: acme, keys: [${list.join(', ')}] }] }
${more}`;
}

test('a changed configuration file ends no subscription that is still allowed', async (t) => {
  const kafka = await sharedCluster();
  const { name, kafkaTopic } = await projectTopic(t, kafka, 'changed', { partitions });
  const [port] = await freePorts(1);
  const file = configFile(t, fileWith(kafka, ['acme-read', 'leaving'], ''));
  const server = new ServerProcess({
    MILLRACE_CONFIG: file,
    MILLRACE_LISTEN_PORT: String(port),
    MILLRACE_TOPICS_DEFAULTS_LATENESS: '0',
  });
  t.after(() => server.kill());
  await server.start();
  const producer = await openProducer(t, kafka);
  const open = (key: string) => {
    const socket = new WebSocket(
      `${server.url.replace('http', 'ws')}/feeds/${name}`,
      'millrace.v1',
      {
        headers: { authorization: basic({ ...reader, key }) },
      },
    );
    t.after(() => socket.terminate());
    const types: string[] = [];
    socket.on('message', (data: Buffer) => types.push(JSON.parse(data.toString()).type));
    const has = (type: string, count = 1): Promise<void> =>
      until(`${count} ${type}`, () => types.filter((one) => one === type).length >= count);
    return { socket, has };
  };
  const [staying, leaving] = [open('acme-read'), open('leaving')];
  const left = once(leaving.socket, 'close');
  await Promise.all([staying.has('ready'), leaving.has('ready')]);
  await producer.send(kafkaTopic, [{ value: '{"keen":{"id":"1"}}' }]);
  await staying.has('event');

  // Another key, one less, and settings that need a restart; then something that cannot be used.
  const others =
    'limits: { subscriptionsPerConnection: 7 }\ntopics: { defaults: { order: ARRIVAL } }';
  writeFileSync(file, fileWith(kafka, ['coming', 'acme-read'], others));
  const [code] = await left;
  assert.equal(code, 4403);
  writeFileSync(file, 'auth: { projects: [');
  await until('the log to say so', () =>
    server.warnings.some((line) => line.includes('not applied')),
  );
  await producer.send(kafkaTopic, [{ value: '{"keen":{"id":"2"}}' }]);
  await staying.has('event', 2);
  assert.equal(staying.socket.readyState, WebSocket.OPEN);
  await open('coming').has('ready');
});
