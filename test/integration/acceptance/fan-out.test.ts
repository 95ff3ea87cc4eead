import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket as WsWebSocket } from 'ws';
import { subscribers, webSocketClient } from '../../support/graphql-client.ts';
import { openProducer, sharedCluster, type TestRecord } from '../../support/kafka.ts';
import { feedIs } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { type KafkaClientName, projectTopic, reader, runOnKafka } from './real-server.ts';

async function open(t: TestContext, client: KafkaClientName) {
  const kafka = await sharedCluster();
  const { name, kafkaTopic } = await projectTopic(t, kafka, 'fan-out');
  const producer = await openProducer(t, kafka);
  const server = await runOnKafka(t, kafka, client, { MILLRACE_HTTP_COMPRESSION: 'true' });
  return {
    url: server.url,
    topic: name,
    /** Resolves when so many subscribe to it. */
    subscribed: (count: number) => feedIs(server, kafkaTopic, { subscribers: count }),
    record: (events: readonly Readonly<Record<string, unknown>>[]) => {
      const timestamp = new Date().toISOString();
      const records = events.map(({ id, ...more }): TestRecord => {
        const value = JSON.stringify({ keen: { id, timestamp }, ...more });
        return { partition: 0, value };
      });
      return producer.send(kafkaTopic, records);
    },
  };
}

interface Event {
  readonly id: string;
  readonly payload?: unknown;
}

/** Subscribes; answers the events, as they come, and whatever else does in their place. */
function subscribe(client: Client, topic: string, fields: string, where: unknown = []): Event[] {
  const events: Event[] = [];
  const strange = (what: unknown): void => void events.push({ id: JSON.stringify(what) });
  client.subscribe(
    {
      query: `subscription($topic: String!, $where: [PropertyFilter!]) {
        events(topic: $topic, order: ARRIVAL, where: $where) { ${fields} }
      }`,
      variables: { topic, where },
    },
    {
      next: (result) => {
        if (result.errors) strange(result);
        else events.push(Object(result.data).events);
      },
      error: strange,
      complete: () => strange('complete'),
    },
  );
  return events;
}

test('a thousand subscribers with 300 filters, 50 to a socket, get exactly their events', async (t) => {
  const { url, topic, subscribed, record } = await open(t, 'platformatic');
  const sockets = Array.from({ length: 20 }, () => webSocketClient(t, url, reader));
  const users = 300;
  const received = Array.from({ length: 1_000 }, (_, index) => {
    const client = sockets[index % sockets.length];
    assert.ok(client);
    const user = index % users;
    const ofUser = { property: 'user', operator: 'IN', value: [user, 'everyone'] };
    const large = { property: 'total', operator: 'GTE', value: 5 };
    const isPicky = user % 2 === 1;
    const where = isPicky ? [large, ofUser] : [ofUser];
    return { user, isPicky, events: subscribe(client, topic, 'id', where) };
  });
  await subscribed(received.length);
  const events = Array.from({ length: 10 * users }, (_, index) => ({
    id: `e${index}`,
    user: index % users,
    total: Math.floor(index / users),
  }));
  await record(events);
  await record([{ id: 'last', user: 'everyone', total: 10 }]);
  await until('everyone to have the last', () =>
    received.every(({ events: mine }) => mine.at(-1)?.id === 'last'),
  );
  for (const { user, isPicky, events: mine } of received) {
    const own = events.filter((event) => event.user === user && (!isPicky || event.total >= 5));
    assert.deepEqual(
      mine.map(({ id }) => id),
      [...own.map(({ id }) => id), 'last'],
    );
  }
});

/** The constructors of WebSockets that clients use, each as it negotiates. */
const implementations: readonly [
  name: string,
  extensions: string,
  open: (url: string, protocol: string) => { readonly extensions: string },
][] = [
  [
    'ws with compression',
    'permessage-deflate',
    (url, protocol) => new WsWebSocket(url, protocol, { perMessageDeflate: true }),
  ],
  [
    'ws without',
    '',
    (url, protocol) => new WsWebSocket(url, protocol, { perMessageDeflate: false }),
  ],
  [
    'ws with a window of its own for the server, which is not agreed on',
    '',
    (url, protocol) =>
      new WsWebSocket(url, protocol, { perMessageDeflate: { serverMaxWindowBits: 10 } }),
  ],
  ['the global WebSocket', 'permessage-deflate', (url, protocol) => new WebSocket(url, protocol)],
];

test('every client reads the same, compressed or not', async (t) => {
  const { url, topic, subscribed, record } = await open(t, 'kafkajs');
  const received = implementations.map(([name, extensions, openSocket]) => {
    const opened: { readonly extensions: string }[] = [];
    // `new` of a function answers the object that it returns.
    const Implementation = function Implementation(address: string, protocol: string): unknown {
      const socket = openSocket(address, protocol);
      opened.push(socket);
      return socket;
    };
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: Object.assign(Implementation, WebSocket, {
        CONNECTING: 0,
        OPEN: 1,
        CLOSING: 2,
        CLOSED: 3,
      }),
      connectionParams: { ...reader },
      retryAttempts: 0,
      generateID: () => `${name} ä`,
    });
    t.after(() => client.dispose());
    const events = subscribe(client, topic, 'id payload');
    return { name, extensions, opened, events };
  });
  const overSse = subscribers['graphql-sse'](t, {
    url,
    login: reader,
    query: 'subscription($topic: String!) { events(topic: $topic, order: ARRIVAL) { id payload } }',
    variables: { topic },
  });
  await subscribed(received.length + 1);
  const texts = ['short', 'ä 🎈 '.repeat(100), 'x'.repeat(100_000), '日本 '.repeat(50_000)];
  await record(texts.map((text, index) => ({ id: `e${index}`, text })));
  const results = await overSse.atLeast(texts.length);
  const expected = results.map(({ data }) => Object(data).events);
  assert.deepEqual(
    expected.map(({ payload }) => payload.text),
    texts,
  );
  for (const { name, extensions, opened, events } of received) {
    await until('all to arrive', () => events.length >= texts.length);
    assert.deepEqual(events, expected, name);
    assert.equal(opened[0]?.extensions.split(';', 1)[0], extensions, name);
  }
});
