import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { GraphqlEngine } from '../../../../src/transports/graphql/engine.ts';
import { createErrorMask } from '../../../../src/transports/graphql/errors.ts';
import { createSchema } from '../../../../src/transports/graphql/schema.ts';
import { createTopicLoaders } from '../../../../src/transports/graphql/topic-loaders.ts';
import { createGraphqlOverHttp } from '../../../../src/transports/graphql/yoga.ts';
import { UntakenAnswers } from '../../../../src/transports/untaken-answers.ts';
import { Heartbeat } from '../../../../src/transports/heartbeat.ts';
import { createHttpServer, type Route } from '../../../../src/transports/http-server.ts';
import { refusalOf } from '../../../../src/hub/kafka-refusal.ts';
import { openHub } from '../../../support/hub.ts';
import { settle } from '../../../support/manual-clock.ts';
import { until } from '../../../support/until.ts';
import { portOf } from '../../../support/websocket.ts';
import { anyAnswers, outgoing } from '../../../support/outgoing.ts';

const beatMs = 12_000;
const subscription = 'subscription { events(topic: "purchases", order: ARRIVAL) { id payload } }';

/** GraphQL over HTTP before a hub of which the clock is the test's; the network's is not. */
async function serve(t: TestContext, maxQueuedBytes = 2 ** 20) {
  const world = openHub(t, { topics: { purchases: 1 } });
  const { hub, clock, principal, log } = world;
  const heartbeat = new Heartbeat(clock, beatMs);
  t.after(() => heartbeat.stop());
  const unlimited = Number.POSITIVE_INFINITY;
  const engine = new GraphqlEngine({
    schema: createSchema(),
    limits: {
      queryCharacters: unlimited,
      queryTokens: 1_000,
      queryDepth: unlimited,
      queryAliases: unlimited,
      queryDirectives: unlimited,
    },
    introspection: true,
    mask: createErrorMask(log.logger),
  });
  let slow = 0;
  const overHttp = createGraphqlOverHttp(engine, {
    answers: anyAnswers(),
    untaken: new UntakenAnswers(),
    ...outgoing({
      maxQueuedBytes,
      onSlow: () => {
        slow += 1;
      },
    }),
    heartbeat,
    maxBodyBytes: 2 ** 16,
  });
  const held: ServerResponse[] = [];
  const asked: ServerResponse[] = [];
  const { server } = createHttpServer({
    routes: new Map<string, Route>([
      [
        '/graphql',
        async (request, response) => {
          asked.push(response);
          const topics = createTopicLoaders(() => hub.registry.clients.lease(principal), refusalOf);
          await overHttp(request, response, { principal, hub, topics, maxRecent: 10 });
        },
      ],
      ['/held', (_request, response) => void held.push(response)],
    ]),
    socketRoutes: new Map(),
    allowedOrigins: [],
    maxInboundFrameBytes: 1_024,
    maxStallMs: 60_000,
    logger: log.logger,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const port = portOf(server);
  const subscribers = (): number => hub.countsOf(principal, 'purchases')?.subscribers ?? 0;
  return { ...world, port, asked, held, slow: () => slow, subscribers };
}

function requestOf(query: string, version = '1.1', path = '/graphql'): string {
  const target = `${path}?query=${encodeURIComponent(query)}`;
  return `GET ${target} HTTP/${version}\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`;
}

/** A connection, and what came on it. */
async function dial(t: TestContext, port: number): Promise<{ stream: Socket; text: () => string }> {
  const stream = connect(port, '127.0.0.1');
  stream.on('error', () => undefined);
  t.after(() => stream.destroy());
  await once(stream, 'connect');
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return { stream, text: () => text };
}

/** Asks for a subscription; resolves when its stream has begun. */
async function subscribe(t: TestContext, { port }: { port: number }, version?: string) {
  const connection = await dial(t, port);
  connection.stream.write(requestOf(subscription, version));
  await until('the stream to begin', () => connection.text().includes(':\n\n'));
  return connection;
}

/** What stands in the chunks of a body so far. @throws when it is not divided as it should be */
function unchunked(body: string): string {
  let bytes = Buffer.from(body);
  let text = '';
  while (bytes.length > 0) {
    const [size = ''] = bytes.toString('latin1').split('\r\n', 1);
    assert.match(size, /^[0-9a-f]+$/);
    const [from, length] = [size.length + 2, Number.parseInt(size, 16)];
    text += bytes.toString('utf8', from, from + length);
    assert.equal(bytes.toString('latin1', from + length, from + length + 2), '\r\n');
    bytes = bytes.subarray(from + length + 2);
  }
  return text;
}

function parted(text: string): { head: string; body: string } {
  const at = text.indexOf('\r\n\r\n');
  return { head: text.slice(0, at).toLowerCase(), body: text.slice(at + 4) };
}

const nextOf = (id: string, payload: string): string =>
  `event: next\ndata: {"data":{"events":{"id":"${id}","payload":${payload}}}}\n\n`;

test('to HTTP/1.1 each event is a chunk; comments keep it alive', async (t) => {
  const server = await serve(t);
  const { text } = await subscribe(t, server);
  const payload = '{"id":"ä 🎈"}';
  server.kafka.append('purchases', { value: payload });
  await server.clock.advance(1_000);
  await until('the event', () => text().includes('🎈'));
  await server.clock.advance(beatMs);
  await until('the comment', () => text().endsWith(':\n\n\r\n'));
  const { head, body } = parted(text());
  assert.match(head, /^http\/1\.1 200 ok\r\n/);
  assert.match(head, /\r\ncontent-type: text\/event-stream\r\n/);
  assert.match(head, /\r\ntransfer-encoding: chunked/);
  assert.equal(unchunked(body), `:\n\n${nextOf('ä 🎈', payload)}:\n\n`);
});

test('to HTTP/1.0 the stream is divided by its end only', async (t) => {
  const server = await serve(t);
  const { stream, text } = await subscribe(t, server, '1.0');
  server.kafka.append('purchases', { value: '{"id":"a"}' });
  await server.clock.advance(1_000);
  await until('the event', () => text().includes('"a"'));
  const ended = once(stream, 'end');
  server.kafka.deleteTopic('purchases');
  await server.clock.advance(10_000);
  await ended;
  const { head, body } = parted(text());
  assert.doesNotMatch(head, /transfer-encoding|content-length/);
  assert.match(head, /connection: close/);
  assert.ok(
    body.startsWith(`:\n\n${nextOf('a', '{"id":"a"}')}event: next\ndata: {"errors":[`),
    body,
  );
  assert.ok(body.endsWith('event: complete\ndata:\n\n'), body);
});

test('line breaks in a payload do not end the data', async (t) => {
  const server = await serve(t);
  const { text } = await subscribe(t, server);
  const payload = '{\r\n "id" :\n\n"a",\r"text": "\\n\\r"}';
  server.kafka.append('purchases', { value: payload });
  await server.clock.advance(1_000);
  await until('the event', () => text().includes('"a"'));
  const [, event = ''] = unchunked(parted(text()).body).split(':\n\n');
  const [name, data = '', ...rest] = event.split(/\r\n|\r|\n/);
  assert.equal(name, 'event: next');
  assert.deepEqual(rest, ['', '']);
  const { events } = JSON.parse(data.slice('data: '.length)).data;
  assert.deepEqual(events.payload, JSON.parse(payload));
});

test('it ends with the error and `complete`, and its connection serves the next request', async (t) => {
  const server = await serve(t);
  const { stream, text } = await subscribe(t, server);
  server.kafka.deleteTopic('purchases');
  await server.clock.advance(10_000);
  await until('the end', () => text().endsWith('\r\n0\r\n\r\n'));
  const events = unchunked(parted(text()).body).split('\n\n');
  assert.match(events[1] ?? '', /^event: next\ndata: \{"errors":\[.*"code":"TOPIC_NOT_FOUND"/);
  assert.deepEqual(events.slice(2), ['event: complete\ndata:', '']);
  await until('it to be over', () => server.principal.retained === 0);
  stream.write(requestOf('{ project { id } }'));
  await until('the answer', () => text().includes('{"project":{"id":"acme"}}'));
});

/** Of the events that an answer has, in its order. */
function ids(text: string): string[] {
  return [...text.matchAll(/"events":\{"id":"(\w+)"/g)].map(([, id = '']) => id);
}

test('a client that takes nothing holds up nobody, and goes on from the log when it does', async (t) => {
  const server = await serve(t, 2 ** 20);
  const slow = await subscribe(t, server);
  slow.stream.pause();
  const quick = await subscribe(t, server);
  const pad = 'x'.repeat(400_000);
  let sent = 0;
  while (server.slow() === 0) {
    sent += 1;
    server.record(`e${sent}`, { pad });
    await server.clock.advance(1_000);
    await until('it to arrive', () => quick.text().includes(`"e${sent}"`));
  }
  server.record('last');
  await server.clock.advance(1_000);
  await until('the last', () => quick.text().includes('"last"'));
  assert.equal(server.subscribers(), 1);
  slow.stream.resume();
  await until('it to have everything', async () => {
    await server.clock.advance(1_000);
    return slow.text().includes('"last"');
  });
  assert.equal(ids(quick.text()).length, sent + 1);
  assert.deepEqual(ids(slow.text()), ids(quick.text()));
});

test('a client that ends its half while it takes nothing is let go', async (t) => {
  const server = await serve(t, 2 ** 30);
  const { stream } = await subscribe(t, server);
  stream.pause();
  const socket = server.asked[0]?.socket;
  assert.ok(socket);
  const pad = 'x'.repeat(400_000);
  for (let sent = 0; socket.writableLength === 0; sent += 1) {
    server.record(`e${sent}`, { pad });
    await server.clock.advance(1_000);
  }
  stream.end();
  await until('it to be noticed', () => socket.writableEnded);
  server.record('after');
  await server.clock.advance(1_000);
  stream.resume();
  await until('it to be gone', () => server.principal.retained === 0);
  assert.equal(server.subscribers(), 0);
});

test('a client that is gone leaves no subscription, whenever it goes', async (t) => {
  const server = await serve(t);
  const gone = async (): Promise<void> => {
    await until('it to be noticed', () => server.asked.at(-1)?.destroyed === true);
    await settle();
  };
  // While its request is looked at, …
  const early = await dial(t, server.port);
  early.stream.write(requestOf(subscription));
  await until('it to be asked', () => server.asked.length === 1);
  early.stream.destroy();
  await gone();
  // … while its subscription waits for the cluster, …
  server.kafka.setAvailable(false);
  await server.clock.advance(60_000);
  const waiting = await dial(t, server.port);
  waiting.stream.write(requestOf(subscription));
  await until('it to wait', () => server.principal.retained === 1);
  waiting.stream.destroy();
  await gone();
  await server.clock.advance(10_000);
  await settle();
  assert.equal(server.principal.retained, 0);
  server.kafka.setAvailable(true);
  // … and at last while it is served.
  const served = await dial(t, server.port);
  served.stream.write(requestOf(subscription));
  await until('it to be served', () => server.principal.retained === 1);
  await server.clock.advance(10_000);
  await until('the stream to begin', () => served.text().includes(':\n\n'));
  served.stream.destroy();
  await until('it to be gone', () => server.principal.retained === 0);
  assert.equal(server.subscribers(), 0);
});

test('a stream that is asked for behind an open request is refused, in words that say why', async (t) => {
  const server = await serve(t);
  const { stream, text } = await dial(t, server.port);
  stream.write(requestOf('', '1.1', '/held') + requestOf(subscription));
  await until('both to be asked', () => server.held.length + server.asked.length === 2);
  await until('it to be refused', () => server.asked[0]?.writableEnded === true);
  assert.equal(server.principal.retained, 0);
  server.held[0]?.end('held');
  await until('both answers', () => text().includes('errors'));
  assert.match(text(), /held[^]*HTTP\/1\.1 400 [^]*"code":"BAD_USER_INPUT"/);
  assert.match(text(), /behind a request that is not answered yet/);
});

test('who asks for JSON is told what there is, and leaves no subscription', async (t) => {
  const server = await serve(t);
  const { stream, text } = await dial(t, server.port);
  stream.write(requestOf(subscription).replace('text/event-stream', 'application/json'));
  await until('the answer', () => text().includes('\r\n\r\n'));
  assert.match(text(), /^HTTP\/1\.1 406 [^]*text\/event-stream/);
  assert.equal(server.principal.retained, 0);
});
