/*
 * graphql-transport-ws, as the protocol's text has it (PROTOCOL.md of graphql-ws): every message, and
 * every violation with its close code. No suite is published that runs against a server.
 */
import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { feedIs, runEmbedded, runServer, testConfig } from '../../support/server.ts';
import { standingStill } from '../../support/standing-still.ts';

const login = { projectId: 'acme', key: 'acme-read' };
const init = { type: 'connection_init', payload: login };
const ack = { type: 'connection_ack' };
const query = '{ project { id } }';
const result = { data: { project: { id: 'acme' } } };
const asksKafka = '{ topics { name } }';
const noTopics = { data: { topics: [] } };
const events = 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }';

function subscribe(id: unknown, text: unknown = query, more: object = {}): object {
  return { id, type: 'subscribe', payload: { query: text, ...more } };
}

interface Client {
  /** Text goes as it is. */
  send(...messages: readonly (object | string)[]): void;
  /** The next message; undefined: the socket was closed before. */
  next(): Promise<unknown>;
  close(code: number): void;
  /** With which code and reason the socket was closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

async function connect(t: TestContext, url: string): Promise<Client> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  t.after(() => socket.terminate());
  const messages = on(socket, 'message', { close: ['close'] });
  const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }));
  await once(socket, 'open');
  return {
    send(...all) {
      for (const message of all) {
        socket.send(typeof message === 'string' ? message : JSON.stringify(message));
      }
    },
    async next() {
      const { done, value } = await messages.next();
      return done === true ? undefined : JSON.parse(String(value[0]));
    },
    close: (code) => socket.close(code),
    closed,
  };
}

async function letIn(t: TestContext, url: string): Promise<Client> {
  const client = await connect(t, url);
  client.send(init);
  assert.deepEqual(await client.next(), ack);
  return client;
}

test('graphql-transport-ws', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  const { url } = server;
  const record = (id: string): void => {
    kafka.append('acme.purchases', { value: JSON.stringify({ keen: { id } }) });
  };
  const subscribed = (count: number): Promise<void> =>
    feedIs(server, 'acme.purchases', { subscribers: count });

  await t.test('ConnectionInit is acknowledged, and refused credentials are 4403', async (t) => {
    await letIn(t, url);
    const client = await connect(t, url);
    client.send({ ...init, payload: { ...login, key: 'wrong' } });
    assert.equal((await client.closed).code, 4403);
  });

  await t.test('a Ping is answered at any time, with its payload; a Pong is not', async (t) => {
    const client = await connect(t, url);
    const payload = { at: 1, ü: ['😀'] };
    client.send({ type: 'pong' }, { type: 'pong', payload }, { type: 'ping' });
    assert.deepEqual(await client.next(), { type: 'pong' });
    client.send({ type: 'ping', payload });
    assert.deepEqual(await client.next(), { type: 'pong', payload });
    client.send(init, { type: 'ping', payload: null });
    const rest = [await client.next(), await client.next()];
    assert.deepEqual(
      rest.toSorted((a, b) => Object(a).type.localeCompare(Object(b).type)),
      [ack, { type: 'pong' }],
    );
  });

  await t.test('a single result is Next and Complete', async (t) => {
    const client = await letIn(t, url);
    const more = { operationName: 'A', variables: null, extensions: { some: 'value' } };
    client.send(subscribe('1', `query A ${query} query B { __typename }`, more));
    assert.deepEqual(await client.next(), { id: '1', type: 'next', payload: result });
    assert.deepEqual(await client.next(), { id: '1', type: 'complete' });
  });

  await t.test('a result with errors of execution is Next and Complete', async (t) => {
    const client = await letIn(t, url);
    client.send(subscribe('1', '{ recentEvents(topic: "nothing") { id } }'));
    const next = Object(await client.next());
    assert.equal(next.type, 'next');
    assert.equal(next.payload.data, null);
    assert.equal(next.payload.errors[0].extensions.code, 'TOPIC_NOT_FOUND');
    assert.deepEqual(await client.next(), { id: '1', type: 'complete' });
  });

  for (const [what, text, more] of [
    ['cannot be parsed', '{'],
    ['is not valid', '{ nothing }'],
    ['is not named', `query A ${query} query B ${query}`],
    ['is refused', 'subscription { events(topic: "nothing") { id } }'],
    ['has not that name', `query A ${query}`, { operationName: 'B' }],
  ] as const) {
    await t.test(`an operation that ${what} is Error, without Complete, and no more`, async (t) => {
      const client = await letIn(t, url);
      client.send(subscribe('1', text, more));
      const { payload, ...error } = Object(await client.next());
      assert.deepEqual(error, { id: '1', type: 'error' });
      assert.equal(typeof payload[0].message, 'string');
      // The id is free again, and what came before is told before.
      client.send(subscribe('1'));
      assert.deepEqual(await client.next(), { id: '1', type: 'next', payload: result });
    });
  }

  await t.test('operations go side by side, and a subscription ends by Complete', async (t) => {
    const client = await letIn(t, url);
    const ids = ['__proto__', '😀'.repeat(64)] as const;
    client.send(...ids.map((id) => subscribe(id, events)));
    await subscribed(2);
    client.send(subscribe('single'));
    assert.equal(Object(await client.next()).id, 'single');
    assert.deepEqual(await client.next(), { id: 'single', type: 'complete' });
    record('first');
    const payload = { data: { events: { id: 'first' } } };
    const both = [await client.next(), await client.next()];
    for (const id of ids) {
      assert.ok(both.some((message) => Object(message).id === id));
      assert.ok(both.every((message) => Object(message).type === 'next'));
    }
    assert.deepEqual(Object(both[0]).payload, payload);
    const [gone, kept] = ids;
    client.send({ id: gone, type: 'complete' }, { type: 'ping' });
    assert.deepEqual(await client.next(), { type: 'pong' });
    record('second');
    assert.equal(Object(await client.next()).id, kept);
    // The server has nothing to say about one that the client has completed: the next message is of another.
    client.send({ id: gone, type: 'complete' }, { id: 'never', type: 'complete' });
    client.send(subscribe(gone));
    assert.deepEqual(await client.next(), { id: gone, type: 'next', payload: result });
  });

  await t.test('what the client has completed before its result came sends nothing', async (t) => {
    const { driver, goOn } = standingStill('listTopics');
    const { url } = await runServer(t, testConfig(), { driver });
    const client = await letIn(t, url);
    client.send(subscribe('1', asksKafka), { id: '1', type: 'complete' }, subscribe('2'));
    assert.deepEqual(await client.next(), { id: '2', type: 'next', payload: result });
    assert.deepEqual(await client.next(), { id: '2', type: 'complete' });
    client.send(subscribe('3', asksKafka));
    goOn();
    assert.deepEqual(await client.next(), { id: '3', type: 'next', payload: noTopics });
  });

  await t.test('a normal closure is answered, and ends what was subscribed to', async (t) => {
    const client = await letIn(t, url);
    client.send(subscribe('1', events), subscribe('2', events));
    await subscribed(2);
    client.close(1000);
    assert.equal((await client.closed).code, 1000);
  });

  await t.test('who does not send ConnectionInit in time is closed with 4408', async (t) => {
    const settings = { MILLRACE_LIMITS_INIT_TIMEOUT: '100ms' };
    const { server } = await runEmbedded(t, { topics: [], settings });
    const client = await connect(t, server.url);
    client.send({ type: 'ping' });
    assert.deepEqual(await client.closed, {
      code: 4408,
      reason: 'Connection initialisation timeout',
    });
  });

  await t.test('an operation before ConnectionInit is answered with 4401', async (t) => {
    const client = await connect(t, url);
    client.send(subscribe('1'));
    assert.deepEqual(await client.closed, { code: 4401, reason: 'Unauthorized' });
  });

  for (const [what, messages, code, reason] of [
    ['an operation before ConnectionAck', [init, subscribe('1')], 4401, /Unauthorized/],
    ['a second ConnectionInit before the first is acknowledged', [init, init], 4429, /Too many/],
  ] as const) {
    await t.test(`${what} is answered with ${code}`, async (t) => {
      const settings = { MILLRACE_KAFKA_CREDENTIALS: 'client', MILLRACE_AUTH_PROJECTS: '[]' };
      const { driver } = standingStill('login');
      const { url } = await runServer(t, testConfig(settings), { driver });
      const client = await connect(t, url);
      client.send(...messages);
      const closed = await client.closed;
      assert.equal(closed.code, code);
      assert.match(closed.reason, reason);
    });
  }

  const exists = /Subscriber for 1 already exists/;
  for (const [what, messages, code, reason] of [
    ['a second ConnectionInit', [init], 4429, /Too many initialisation requests/],
    ['the id of a subscription', [subscribe('1', events), subscribe('1', events)], 4409, exists],
    ['what is no JSON', ['{'], 4400, /./],
    ['a list', ['[]'], 4400, /./],
    ['null', ['null'], 4400, /./],
    ['a message without a type', [{ id: '1' }], 4400, /./],
    ['a type that is no text', [{ type: 1 }], 4400, /./],
    ['a type that is not known', [{ type: 'start', id: '1' }], 4400, /./],
    ['a Ping whose payload is a text', [{ type: 'ping', payload: '1' }], 4400, /./],
    ['a Pong whose payload is a list', [{ type: 'pong', payload: [] }], 4400, /./],
    ['Subscribe without an id', [subscribe(undefined)], 4400, /./],
    ['Subscribe with an id that is a number', [subscribe(1)], 4400, /./],
    ['Subscribe with an empty id', [subscribe('')], 4400, /./],
    ['Subscribe with an id of 129 characters', [subscribe('x'.repeat(129))], 4400, /128/],
    ['Subscribe without a payload', [{ id: '1', type: 'subscribe' }], 4400, /./],
    ['Subscribe without a query', [subscribe('1', null)], 4400, /./],
    ['Subscribe with a query that is no text', [subscribe('1', {})], 4400, /./],
    ['variables that are a list', [subscribe('1', query, { variables: [] })], 4400, /./],
    ['variables that are a text', [subscribe('1', query, { variables: '{}' })], 4400, /./],
    ['an operationName that is no text', [subscribe('1', query, { operationName: 1 })], 4400, /./],
    ['extensions that are a list', [subscribe('1', query, { extensions: [] })], 4400, /./],
    ['Complete without an id', [{ type: 'complete' }], 4400, /./],
    ['Complete with an empty id', [{ type: 'complete', id: '' }], 4400, /./],
    ['ConnectionAck from the client', [ack], 4400, /./],
    ['Next from the client', [{ id: '1', type: 'next', payload: {} }], 4400, /./],
    [
      'Error from the client',
      [{ id: '1', type: 'error', payload: [{ message: 'wrong' }] }],
      4400,
      /./,
    ],
  ] as const) {
    await t.test(`${what} is answered with ${code}`, async (t) => {
      const client = await letIn(t, url);
      client.send(...messages);
      const closed = await client.closed;
      assert.equal(closed.code, code);
      assert.match(closed.reason, reason);
    });
  }

  await t.test('the id of a query that is not done is answered with 4409', async (t) => {
    const { url } = await runServer(t, testConfig(), {
      driver: standingStill('listTopics').driver,
    });
    const client = await letIn(t, url);
    client.send(subscribe('1', asksKafka), subscribe('1'));
    const closed = await client.closed;
    assert.equal(closed.code, 4409);
    assert.match(closed.reason, exists);
  });

  await t.test('nothing is begun for who is being closed', async (t) => {
    const client = await letIn(t, url);
    client.send('{', subscribe('1', events), { type: 'ping' });
    assert.equal((await client.closed).code, 4400);
    assert.equal(await client.next(), undefined);
  });
});
