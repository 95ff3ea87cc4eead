import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { subscribers } from '../../support/graphql-client.ts';
import { openProducer, sharedCluster } from '../../support/kafka.ts';
import { RunningTime } from '../../support/running-time.ts';
import { feedIs } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { kafkaClients, projectTopic, reader, runOnKafka } from './real-server.ts';

/** A consumer group would have taken longer to join: 3 s at Kafka's defaults. */
const mostMs = 2_000;

for (const client of kafkaClients) {
  test(`${client}: of a cold topic, the first event comes as soon as it is recorded`, async (t) => {
    const kafka = await sharedCluster();
    const { name, kafkaTopic } = await projectTopic(t, kafka, 'cold', { partitions: 9 });
    const server = await runOnKafka(t, kafka, client);
    const producer = await openProducer(t, kafka);
    const subscribed = new RunningTime();
    const received = subscribers['graphql-ws'](t, {
      url: server.url,
      login: reader,
      query: 'subscription($topic: String!) { events(topic: $topic, order: ARRIVAL) { id } }',
      variables: { topic: name },
    });
    await feedIs(server, kafkaTopic);
    const runningMs = subscribed.ms;
    const sent = new RunningTime();
    await producer.send(kafkaTopic, [{ value: '{"keen":{"id":"first"}}' }]);
    const [result] = await received.atLeast(1);
    const deliveredMs = sent.ms;
    assert.deepEqual(result?.data, { events: { id: 'first' } });
    assert.ok(runningMs < mostMs, `running after ${runningMs} ms`);
    assert.ok(deliveredMs < mostMs, `delivered after ${deliveredMs} ms`);
    t.diagnostic(
      `running ${Math.round(runningMs)} ms after subscribing; an event came in ${Math.round(deliveredMs)} ms`,
    );
  });

  test(`${client}: of a cold topic, what is recorded right after subscribing comes too`, async (t) => {
    const kafka = await sharedCluster();
    // The broker's clock, which is the server's here: what a producer noted before it sent may be
    // from before the subscription.
    const config = { 'message.timestamp.type': 'LogAppendTime' };
    const { name, kafkaTopic } = await projectTopic(t, kafka, 'cold', { partitions: 9, config });
    const server = await runOnKafka(t, kafka, client);
    const producer = await openProducer(t, kafka);
    const socket = await openSocket(t, server.url);
    const next = nextMessage(socket);
    const sent = new RunningTime();
    socket.send(
      JSON.stringify({
        id: 'cold',
        type: 'subscribe',
        payload: {
          query: `subscription { events(topic: ${JSON.stringify(name)}, order: ARRIVAL) { id } }`,
        },
      }),
    );
    // Nobody tells the client. On a busy machine Kafka may have the record before the server has looked at the socket.
    await until('it to be accepted', () =>
      [...server.hub.registry.feeds()].some((feed) => feed.kafkaTopic === kafkaTopic),
    );
    await producer.send(kafkaTopic, [{ value: '{"keen":{"id":"first"}}' }]);
    const message = await next;
    const deliveredMs = sent.ms;
    assert.deepEqual(message, {
      id: 'cold',
      type: 'next',
      payload: { data: { events: { id: 'first' } } },
    });
    assert.ok(deliveredMs < mostMs, `delivered after ${deliveredMs} ms`);
    t.diagnostic(`the event came ${Math.round(deliveredMs)} ms after subscribing`);
  });
}

/** A socket that is let in, so that what it sends next is looked at at once. */
async function openSocket(t: TestContext, url: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  t.after(() => socket.terminate());
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: reader }));
  assert.deepEqual(await nextMessage(socket), { type: 'connection_ack' });
  return socket;
}

async function nextMessage(socket: WebSocket): Promise<unknown> {
  const [data] = await once(socket, 'message');
  return JSON.parse(String(data));
}
