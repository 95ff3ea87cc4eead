import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { Remote } from '../../bench/fanout/remote.ts';
import { freePorts } from '../../scripts/kafka/ports.ts';
import type { ProbeCalls } from '../soak/probe.ts';
import { sharedCluster } from '../support/kafka.ts';
import { ServerProcess } from '../support/server-process.ts';
import { serviceSettings } from '../support/service-settings.ts';
import { until } from '../support/until.ts';
import { projectTopic, reader } from './acceptance/real-server.ts';

/** With the first ones come code and pools. */
const firstConnections = 200;
const connections = 1_000;
const subscribers = 50;
/** Of each subscriber, after its first. */
const moreSubscriptions = 99;
/**
 * Bytes of heap and buffers, after garbage collection. When this was written they were 4,160 and 1,210, in every run. What
 * is kept of each for no need is seen: a closure with what it closes over is 100 bytes, a list of listeners too, and a `Map`
 * 200.
 */
const most = { ofConnection: 4_600, ofSubscription: 2_000 };

test('a connection that is held open and one more subscription take little memory', async (t) => {
  const kafka = await sharedCluster();
  const topic = await projectTopic(t, kafka, 'memory', { partitions: 3 });
  const [port = 0] = await freePorts(1);
  const server = new ServerProcess(serviceSettings(kafka, port, 'kafkajs'), {
    nodeOptions: ['--expose-gc'],
    probe: new URL('../soak/probe.ts', import.meta.url),
  });
  await server.start();
  t.after(() => server.kill());
  const probe = new Remote<ProbeCalls>(server.process);
  const heapBytes = async (): Promise<number> => (await probe.call('inside')).heapBytes;

  const first = await open(t, server.url, firstConnections);
  const before = await heapBytes();
  await open(t, server.url, connections);
  const ofConnection = ((await heapBytes()) - before) / connections;

  const query = `subscription { events(topic: "${topic.name}", order: ARRIVAL) { id } }`;
  const subscribe = async (from: number, count: number): Promise<void> => {
    for (const socket of first.slice(0, subscribers)) {
      for (let id = from; id < from + count; id += 1) {
        socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } }));
      }
    }
    const all = subscribers * (from + count);
    await until(
      `${all} subscriptions`,
      async () => (await server.metric('millrace_subscriptions')) === all,
    );
  };
  await subscribe(0, 1);
  const subscribed = await heapBytes();
  await subscribe(1, moreSubscriptions);
  const ofSubscription = ((await heapBytes()) - subscribed) / (subscribers * moreSubscriptions);

  const figures = `${Math.round(ofConnection)} bytes of a connection, ${Math.round(ofSubscription)} of a subscription`;
  t.diagnostic(figures);
  assert.ok(ofConnection <= most.ofConnection, figures);
  assert.ok(ofSubscription <= most.ofSubscription, figures);
});

/** GraphQL WebSockets that have been let in. */
async function open(t: TestContext, url: string, count: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.terminate();
  });
  while (sockets.length < count) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      perMessageDeflate: false,
    });
    sockets.push(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: reader }));
    await once(socket, 'message');
  }
  return sockets;
}
