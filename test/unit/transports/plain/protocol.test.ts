import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import { errorTable } from '../../../../src/core/errors.ts';
import { EmbeddedKafka } from '../../../../src/kafka/embedded/embedded-kafka.ts';
import { closeCodes, messageTable } from '../../../../src/transports/plain/protocol.ts';
import type { Logger } from '../../../../src/observe/logger.ts';
import { captureLog } from '../../../support/captured-log.ts';
import { HeldClock } from '../../../support/held-clock.ts';
import { basic } from '../../../support/graphql-client.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { feedIs, runEmbedded, runServer, testConfig } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';

const login = { projectId: 'acme', key: 'acme-read' };
const auth = JSON.stringify({ type: 'auth', ...login });
const byHeader: ClientOptions = { headers: { authorization: basic(login) } };
const authorization = basic(login);

interface Started {
  readonly settings?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly protocols?: string[];
  readonly options?: ClientOptions;
  readonly logger?: Logger;
  readonly clock?: HeldClock;
}

/** The first events of type `event` of a stream, which is then left. */
async function eventsOf(url: string, headers: Record<string, string>, count: number) {
  const answer = await fetch(url, { headers });
  assert.equal(answer.status, 200, url);
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk).toString();
    const found = [...text.matchAll(/event: event\nid: (.*)\ndata: (.*)\n\n/g)];
    if (found.length < count) continue;
    return found
      .slice(0, count)
      .map(([, id = '', data = '']) => ({ id, data: Object(JSON.parse(data)) }));
  }
  throw new Error(`the stream ended after ${text}`);
}

/** A server with one topic, and a client whose messages are kept. */
async function connect(t: TestContext, started: Started = {}) {
  const {
    path = '/feeds/purchases',
    protocols = ['millrace.v1'],
    options,
    ...dependencies
  } = started;
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'], ...dependencies });
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, protocols, options);
  t.after(() => socket.terminate());
  const messages: Record<string, unknown>[] = [];
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await once(socket, 'open');
  return { server, kafka, socket, messages, closed };
}

test('the first message is ready, and what is recorded after it is delivered', async (t) => {
  const { kafka, socket, messages } = await connect(t, { path: '/feeds/purchases?order=ARRIVAL' });
  socket.send(auth);
  await until('ready', () => messages.length === 1);
  const { type, cursor, ...more } = messages[0] ?? {};
  assert.deepEqual([type, typeof cursor, more], ['ready', 'string', {}]);
  kafka.append('acme.purchases', { value: '{"a":1}' });
  await until('the event', () => messages.length === 2);
  assert.deepEqual(Object.keys(messages[1] ?? {}), ['type', 'event']);
});

const violations: readonly [
  what: string,
  options: ClientOptions | undefined,
  send: readonly (string | Buffer)[],
  message: RegExp,
][] = [
  ['no JSON', undefined, ['hello'], /first message must be/],
  ['JSON that is no object', undefined, ['null'], /first message must be/],
  ['another type first', undefined, ['{"type":"subscribe"}'], /first message must be/],
  ['a binary message', undefined, [Buffer.from(auth)], /first message must be/],
  ['a second auth', undefined, [auth, auth], /nothing more to send/],
  ['auth beside the header', byHeader, [auth], /nothing more to send/],
];

for (const [what, options, send, message] of violations) {
  test(`${what} is a violation: 4400`, async (t) => {
    const { server, socket, messages, closed } = await connect(t, options ? { options } : {});
    for (const data of send) socket.send(data);
    const { code, reason } = await closed;
    assert.equal(code, 4400);
    assert.match(reason, message);
    const last = messages.pop();
    assert.equal(last?.['type'], 'error');
    assert.equal(last?.['code'], 'BAD_USER_INPUT');
    assert.match(String(last?.['message']), message);
    await until('nobody subscribed', () =>
      [...server.hub.registry.feeds()].every(({ subscribers }) => subscribers === 0),
    );
  });
}

test('a message after ready is a violation too', async (t) => {
  const { socket, messages, closed } = await connect(t, { options: byHeader });
  await until('ready', () => messages.length === 1);
  socket.send('{"type":"ping"}');
  assert.equal((await closed).code, 4400);
});

test('a client that does not offer the subprotocol is closed with 4406', async (t) => {
  const { closed, messages } = await connect(t, { protocols: [] });
  const { code, reason } = await closed;
  assert.equal(code, 4406);
  assert.match(reason, /millrace\.v1/);
  assert.equal(messages[0]?.['type'], 'error');
});

test('a client that does not introduce itself is closed with 4408', async (t) => {
  const { closed, messages } = await connect(t, {
    settings: { MILLRACE_LIMITS_INIT_TIMEOUT: '100ms' },
  });
  assert.equal((await closed).code, 4408);
  assert.equal(messages[0]?.['code'], 'UNAUTHENTICATED');
});

test('a message that is too large closes with 1009', async (t) => {
  const { socket, closed } = await connect(t);
  socket.send('x'.repeat(65 * 1_024));
  assert.equal((await closed).code, 1009);
});

test('a token that is not valid is refused, and is not repeated', async (t) => {
  const { socket, messages, closed } = await connect(t);
  socket.send('{"type":"auth","token":"hunter2"}');
  assert.equal((await closed).code, 4403);
  assert.equal(messages[0]?.['code'], 'UNAUTHENTICATED');
  assert.doesNotMatch(JSON.stringify(messages), /hunter2/);
});

test('a client that takes nothing for limits.stallTimeout is closed with 1013', async (t) => {
  const log = captureLog();
  const clock = new HeldClock();
  const { server, kafka, socket, messages, closed } = await connect(t, {
    options: byHeader,
    settings: { MILLRACE_LIMITS_STALL_TIMEOUT: '1s' },
    logger: log.logger,
    clock,
  });
  await feedIs(server, 'acme.purchases');
  await until('ready', () => messages.length === 1);
  socket.pause();
  const [feed] = server.hub.registry.feeds();
  const isServed = (): boolean => (feed?.subscribers ?? 0) > 0;
  // More than the system takes for it; past the bound it is no subscriber until it takes something.
  while (isServed()) {
    kafka.append('acme.purchases', { value: JSON.stringify({ filler: 'x'.repeat(100_000) }) });
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
  await log.logged('a client took nothing');
  // However long it takes, that is not what the server waits for now.
  const { code, reason } = await clock.during(() => {
    socket.resume();
    return closed;
  });
  assert.equal(code, 1013);
  assert.match(reason, /limits\.stallTimeout/);
});

test('compressed or not, the messages are the same', async (t) => {
  const setting = { settings: { MILLRACE_HTTP_COMPRESSION: 'true' } };
  const path = '/feeds/purchases?order=ARRIVAL';
  const { server, kafka, socket, messages } = await connect(t, {
    ...setting,
    path,
    options: { ...byHeader, perMessageDeflate: true },
  });
  assert.match(socket.extensions, /permessage-deflate/);
  const url = `${server.url.replace('http', 'ws')}${path}`;
  const plain = new WebSocket(url, 'millrace.v1', { ...byHeader, perMessageDeflate: false });
  t.after(() => plain.terminate());
  const others: unknown[] = [];
  plain.on('message', (data: Buffer) => others.push(JSON.parse(data.toString())));
  await feedIs(server, 'acme.purchases', { subscribers: 2 });
  for (const length of [1, 300, 70_000]) {
    kafka.append('acme.purchases', { value: JSON.stringify({ filler: 'é'.repeat(length) }) });
  }
  await until('all', () => messages.length === 4 && others.length === 4);
  assert.deepEqual(messages, others);
});

test('a quiet feed tells how far it has come', async (t) => {
  const clock = new ManualClock();
  const kafka = new EmbeddedKafka({ clock });
  kafka.createTopic('acme.purchases', 3);
  const server = await runServer(t, testConfig(), { driver: kafka.driver(), clock });
  const open = async (path: string): Promise<Record<string, unknown>[]> => {
    const url = `${server.url.replace('http', 'ws')}/feeds/purchases${path}`;
    const socket = new WebSocket(url, 'millrace.v1', byHeader);
    t.after(() => socket.terminate());
    const messages: Record<string, unknown>[] = [];
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
    await until('ready', async () => {
      await clock.advance(10);
      return messages.length > 0;
    });
    return messages;
  };
  for (const path of ['', '/dead-letters']) {
    const messages = await open(path);
    // Twice: in the first interval the feed may have told something else.
    await clock.advance(7_500);
    await clock.advance(7_500);
    await until('progress', () => messages.length > 1);
    const { type, cursor, ...more } = messages[1] ?? {};
    assert.equal(type, 'progress');
    assert.deepEqual(more, {});
    const again = await open(`${path}?after=${String(cursor)}`);
    assert.deepEqual(again[0], { type: 'ready' });
  }
});

test('a client that leaves ends its subscription', async (t) => {
  const { server, socket } = await connect(t, { options: byHeader });
  await feedIs(server, 'acme.purchases');
  socket.terminate();
  await until('nobody subscribed', () =>
    [...server.hub.registry.feeds()].every(({ subscribers }) => subscribers === 0),
  );
});

test('another path is 404, before and without the handshake', async (t) => {
  const { server } = await runEmbedded(t, { topics: [] });
  for (const path of ['/feeds', '/feeds/', '/feeds/a/b', '/feeds//dead-letters']) {
    const answer = await fetch(`${server.url}${path}`);
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /\/feeds\/\{topic\}\/dead-letters/);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, 'millrace.v1');
    const [error] = await once(socket, 'error');
    assert.match(String(error), /404/);
  }
});

test('a topic that is not URL-encoded is refused over both', async (t) => {
  const { server, closed, messages } = await connect(t, {
    path: '/feeds/%zz',
    options: byHeader,
  });
  assert.equal((await closed).code, 4400);
  assert.equal(messages[0]?.['argument'], 'topic');
  const answer = await fetch(`${server.url}/feeds/%zz`, { headers: { authorization } });
  assert.equal(answer.status, 400);
});

test('SSE: every message has its cursor as its id, and Last-Event-ID goes on there', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  for (const id of ['a', 'b', 'c']) {
    kafka.append('acme.purchases', { partition: 0, value: JSON.stringify({ keen: { id } }) });
  }
  const url = `${server.url}/feeds/purchases?order=ARRIVAL&since=2026-01-01T00:00:00Z`;
  const first = await eventsOf(url, { authorization }, 2);
  const rest = await eventsOf(url, { authorization, 'last-event-id': first[0]?.id ?? '' }, 2);
  assert.deepEqual(
    first.map(({ data }) => data.event.id),
    ['a', 'b'],
  );
  assert.deepEqual(
    rest.map(({ data }) => data.event.id),
    ['b', 'c'],
  );
  for (const { id, data } of [...first, ...rest]) assert.equal(id, data.event.cursor);
  // As an `EventSource` that has received no id.
  const again = await eventsOf(url, { authorization, 'last-event-id': '' }, 1);
  assert.equal(again[0]?.data.event.id, 'a');
});

test('SSE begins with ready, for who asks for it and for who takes anything', async (t) => {
  const { server } = await runEmbedded(t, { topics: ['acme.purchases'] });
  for (const accept of ['text/event-stream', '*/*', 'text/*;q=0.5']) {
    const answer = await fetch(`${server.url}/feeds/purchases`, {
      headers: { authorization, accept },
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.endsWith('"}\n\n')) break;
    }
    const [, cursor] = /^:\n\nevent: ready\nid: (.+)\ndata: (.*)\n\n$/.exec(text) ?? [];
    assert.ok(text.endsWith(`{"type":"ready","cursor":"${cursor}"}\n\n`), text);
  }
});

test('what is no GET, or takes no events, is refused by 405 and 406', async (t) => {
  const { server } = await runEmbedded(t, { topics: ['acme.purchases'] });
  for (const path of ['/feeds/purchases', '/feeds/purchases/dead-letters']) {
    for (const method of ['HEAD', 'POST', 'PUT', 'DELETE']) {
      const answer = await fetch(`${server.url}${path}`, { method, headers: { authorization } });
      assert.equal(answer.status, 405, method);
      assert.equal(answer.headers.get('allow'), 'GET');
    }
    const headers = { authorization, accept: 'application/json' };
    const answer = await fetch(`${server.url}${path}`, { headers });
    assert.equal(answer.status, 406);
    assert.match(await answer.text(), /text\/event-stream/);
  }
});

test('every error that ends a feed has a close code of the protocol', () => {
  for (const { closeCode } of Object.values(errorTable)) assert.ok(closeCode in closeCodes);
  assert.deepEqual(
    Object.entries(messageTable).flatMap(([type, { from }]) => (from === 'client' ? [type] : [])),
    ['auth'],
  );
});
