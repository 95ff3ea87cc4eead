import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { WebSocket } from 'ws';
import { MillraceError } from '../../../../src/core/errors.ts';
import { Channel } from '../../../../src/hub/channel.ts';
import { SingleGroup } from '../../../../src/hub/group.ts';
import { Message } from '../../../../src/hub/message.ts';
import { Subscription } from '../../../../src/hub/subscription.ts';
import type { GraphqlContext } from '../../../../src/transports/graphql/context.ts';
import { GraphqlEngine } from '../../../../src/transports/graphql/engine.ts';
import { createErrorMask } from '../../../../src/transports/graphql/errors.ts';
import { createGraphqlWebSocket } from '../../../../src/transports/graphql/websocket.ts';
import { createHttpServer } from '../../../../src/transports/http-server.ts';
import { captureLog } from '../../../support/captured-log.ts';
import { principalOf } from '../../../support/hub.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';
import { beginning } from '../../../../src/hub/cursor/stream-position.ts';
import { whereOf } from '../../../support/messages.ts';
import { nowhere, someTurn } from '../../../support/parcels.ts';
import { until } from '../../../support/until.ts';
import { portOf } from '../../../support/websocket.ts';
import { anyAnswers, outgoing } from '../../../support/outgoing.ts';

class Item extends Message {
  readonly number: number;
  readonly text: string;

  constructor(number: number, text: string) {
    super(nowhere.position, nowhere.encode);
    this.number = number;
    this.text = text;
  }

  get size(): number {
    return this.text.length;
  }
}

const unlimited = Number.POSITIVE_INFINITY;

/** A server whose subscribers are one group, and that is told what to send. */
async function serve(t: TestContext, maxQueuedBytes = 2 ** 30) {
  const channel = new Channel<Item, Item, null>(() => new SingleGroup());
  const schema = makeExecutableSchema({
    typeDefs: `
      type Query { a: Int }
      type Item { number: Int, text: String }
      type Subscription { item: Item }
    `,
    resolvers: {
      Subscription: {
        item: {
          resolve: (message: unknown) => message,
          subscribe: () => {
            const subscription: Subscription<Item> = new Subscription<Item>({
              maxQueuedBytes,
              onEnd: () => channel.remove(subscription),
              onBehind: () => channel.remove(subscription),
            });
            channel.add(
              subscription,
              { where: whereOf(), shape: null },
              { at: beginning, join: undefined },
            );
            return subscription;
          },
        },
      },
    },
  });
  const { logger } = captureLog();
  let slow = 0;
  const serveSocket = createGraphqlWebSocket({
    engine: new GraphqlEngine({
      schema,
      limits: {
        queryCharacters: unlimited,
        queryTokens: 1_000,
        queryDepth: unlimited,
        queryAliases: unlimited,
        queryDirectives: unlimited,
      },
      introspection: true,
      mask: createErrorMask(logger),
    }),
    authenticate: async () => principalOf(),
    // The schema of these tests needs none.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    contextOf: () => ({}) as GraphqlContext,
    clock: new ManualClock(),
    logger,
    initTimeoutMs: 10_000,
    maxSubscriptions: 100,
    answers: anyAnswers(),
    ...outgoing({
      maxQueuedBytes,
      onSlow: () => {
        slow += 1;
      },
    }),
  });
  const { server, sockets } = createHttpServer({
    routes: new Map(),
    socketRoutes: new Map([
      [
        '/graphql',
        {
          protocols: ['graphql-transport-ws'],
          serve: (socket, stream) => serveSocket(socket, stream),
        },
      ],
    ]),
    allowedOrigins: [],
    maxInboundFrameBytes: 65_536,
    compression: true,
    maxStallMs: 60_000,
    logger,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  let offset = 0;
  return {
    port: portOf(server),
    channel,
    slow: () => slow,
    /** Items of these texts in one turn, numbered from 1. */
    publish(...texts: readonly string[]): void {
      for (const text of texts) {
        offset += 1;
        const source = { partition: 0, offset, recordedAtMs: 0, payload: {} };
        channel.accept(new Item(offset, text), source);
      }
      channel.flush(someTurn, () => new Map());
    },
  };
}

interface Received {
  readonly id: string;
  readonly type: string;
  readonly payload?: unknown;
}

/** A client that has subscribed with these ids. */
async function subscribed(
  t: TestContext,
  { port, channel }: Awaited<ReturnType<typeof serve>>,
  ids: readonly string[],
  { perMessageDeflate = false, query = 'subscription { item { number text } }' } = {},
) {
  const client = new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate,
  });
  t.after(() => client.terminate());
  const received: Received[] = [];
  client.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString());
    if (message.type !== 'connection_ack') received.push(message);
  });
  await once(client, 'open');
  const before = channel.size;
  client.send(JSON.stringify({ type: 'connection_init' }));
  await once(client, 'message');
  for (const id of ids) {
    client.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
  }
  await until('all to be subscribed', () => channel.size === before + ids.length);
  /** The numbers of the items that came for an operation. */
  const numbers = (id: string): unknown[] =>
    received
      .filter((message) => message.id === id && message.type === 'next')
      .map(({ payload }) => Object(payload).data.item.number);
  const receives = (count: number): Promise<void> =>
    until(`${count} messages`, () => received.length >= count);
  return { client, received, numbers, receives };
}

/** Of every length that a frame's header tells apart, some not worth compressing, and none ASCII only. */
const texts = [
  'ü',
  'é'.repeat(100),
  'ab 🎈 '.repeat(100),
  `${'x'.repeat(40_000)}ß`,
  '日'.repeat(30_000),
];
const ids = [
  '1',
  '2',
  '10',
  'ä',
  '日本',
  '🎈',
  '"quoted" \\ and \n',
  '\u0000',
  '__proto__',
  '\ud800',
  '0e37df36-f698-11e6-8dd4-cb9ced3df976',
  '"'.repeat(128),
];

test('each gets its own id, of whatever length, compressed or not, in one group', async (t) => {
  const server = await serve(t);
  const clients = [];
  for (const id of ids) {
    for (const perMessageDeflate of [true, false]) {
      clients.push({ id, ...(await subscribed(t, server, [id], { perMessageDeflate })) });
    }
  }
  const some = clients[0];
  assert.equal(some?.client.extensions, 'permessage-deflate');
  server.publish(...texts);
  server.publish('alone');
  await settle();
  server.publish('alone in its turn');
  const sent = [...texts, 'alone', 'alone in its turn'];
  const expected = sent.map((text, index) => ({ data: { item: { number: index + 1, text } } }));
  for (const { id, received, receives } of clients) {
    await receives(sent.length);
    for (const message of received) assert.equal(message.id, id);
    assert.deepEqual(
      received.map(({ payload }) => payload),
      expected,
    );
  }
});

test('a client with many subscriptions gets all of each, in order, when it is slow as well', async (t) => {
  const server = await serve(t);
  const mine = await subscribed(t, server, ids, { perMessageDeflate: true });
  const other = await subscribed(t, server, ['other'], {
    query: 'subscription { item { number } }',
  });
  const total = 40;
  for (let turn = 0; turn < total / 4; turn += 1) {
    if (turn === 2) mine.client.pause();
    server.publish('one', 'y'.repeat(300_000), 'three', 'four');
    await settle(2);
  }
  await other.receives(total);
  mine.client.resume();
  await mine.receives(total * ids.length);
  const expected = Array.from({ length: total }, (_, index) => index + 1);
  assert.deepEqual(other.numbers('other'), expected);
  for (const id of ids) assert.deepEqual(mine.numbers(id), expected, JSON.stringify(id));
});

for (const error of [undefined, new MillraceError('KAFKA_UNAVAILABLE', 'gone')]) {
  const type = error === undefined ? 'complete' : 'error';
  test(`${type} comes after all that was due, to quick clients and to slow ones`, async (t) => {
    const server = await serve(t);
    const quick = await subscribed(t, server, ['a', 'bb']);
    const slow = await subscribed(t, server, ['slow', 'ccc'], { perMessageDeflate: true });
    slow.client.pause();
    // More than the system takes for a client that takes nothing.
    const large = Array.from({ length: 60 }, () => randomBytes(150_000).toString('base64'));
    server.publish(...large);
    await settle();
    server.publish('last');
    server.channel.end(error, beginning);
    await settle();
    slow.client.resume();
    const total = large.length + 1;
    for (const { received, numbers, receives } of [quick, slow]) {
      await receives(2 * (total + 1));
      assert.equal(received.length, 2 * (total + 1));
      for (const id of new Set(received.map((message) => message.id))) {
        assert.equal(numbers(id).length, total);
        assert.equal(received.findLast((message) => message.id === id)?.type, type);
      }
    }
  });
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The whole frames of what a server has sent, after the handshake; they are not masked. */
function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = bytes.indexOf('\r\n\r\n') + 4; at + 10 <= bytes.length; ) {
    const opcode = bytes.readUInt8(at) & 0x0f;
    let length = bytes.readUInt8(at + 1);
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    if (at + length > bytes.length) break;
    frames.push({ opcode, payload: bytes.subarray(at, at + length) });
    at += length;
  }
  return frames;
}

/** A client's short text as a masked frame; the mask is of zeros. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  assert.ok(payload.length < 126);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** A client that has subscribed and takes nothing from then on, with what it took before and will take. */
async function stalled(
  t: TestContext,
  { port, channel }: Awaited<ReturnType<typeof serve>>,
): Promise<{ readonly stream: Socket; readonly taken: () => Buffer }> {
  const chunks: Buffer[] = [];
  const taken = (): Buffer => Buffer.concat(chunks);
  const stream = connectTcp(port, '127.0.0.1');
  t.after(() => stream.destroy());
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.write(
    'GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'sec-websocket-protocol: graphql-transport-ws\r\n\r\n',
  );
  const before = channel.size;
  stream.write(maskedFrame('{"type":"connection_init"}'));
  await until('it to be let in', () => taken().includes('connection_ack'));
  stream.pause();
  const query = 'subscription{item{number text}}';
  stream.write(maskedFrame(JSON.stringify({ id: 's', type: 'subscribe', payload: { query } })));
  await until('it to be subscribed', () => channel.size > before);
  return { stream, taken };
}

test('what waits for who takes nothing is dropped past the bound; the others get everything', async (t) => {
  const server = await serve(t, 2 ** 20);
  const healthy = [
    await subscribed(t, server, ['a']),
    await subscribed(t, server, ['ä'], { perMessageDeflate: true }),
  ];
  const { stream: slow, taken } = await stalled(t, server);
  assert.equal(server.channel.size, 3);
  let published = 0;
  while (server.slow() === 0) {
    server.publish('z'.repeat(200_000));
    published += 1;
    for (const { receives } of healthy) await receives(published);
  }
  server.publish('after');
  published += 1;
  await until('it to be told from where to go on', () => server.channel.size === 2);
  slow.write(maskedFrame('{"type":"ping"}'));
  slow.resume();
  const frameTexts = (): string[] => framesIn(taken()).map(({ payload }) => payload.toString());
  await until('the pong', () => frameTexts().at(-1) === '{"type":"pong"}');
  const [ack, ...frames] = frameTexts();
  frames.pop();
  assert.match(String(ack), /connection_ack/);
  const numbers = frames.map((text) => JSON.parse(text).payload.data.item.number);
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, index) => index + 1),
  );
  assert.ok(numbers.length < published);
  const all = Array.from({ length: published }, (_, index) => index + 1);
  for (const { received, receives } of healthy) {
    await receives(published);
    assert.deepEqual(
      received.map(({ payload }) => Object(payload).data.item.number),
      all,
    );
  }
  assert.equal(server.slow(), 1);
});

test('who completes an operation gets nothing of it any more, and its id may be used again', async (t) => {
  const server = await serve(t);
  const { client, received, numbers, receives } = await subscribed(t, server, ['a', 'b']);
  server.publish('one');
  await receives(2);
  client.send(JSON.stringify({ id: 'a', type: 'complete' }));
  await until('it to be gone', () => server.channel.size === 1);
  server.publish('two');
  await receives(3);
  const query = 'subscription { item { number } }';
  client.send(JSON.stringify({ id: 'a', type: 'subscribe', payload: { query } }));
  await until('it to be subscribed', () => server.channel.size === 2);
  server.publish('three');
  await receives(5);
  assert.deepEqual(numbers('a'), [1, 3]);
  assert.deepEqual(numbers('b'), [1, 2, 3]);
  assert.equal(received.length, 5);
  client.close();
  await until('all to be gone', () => server.channel.size === 0);
});

test('what waits of an operation that is completed does not come to the next one of its id', async (t) => {
  const server = await serve(t);
  const { client, numbers } = await subscribed(t, server, ['a', 'b']);
  client.pause();
  // More than the system takes for a client that takes nothing.
  const large = 'x'.repeat(200_000);
  server.publish(...Array.from({ length: 60 }, () => large));
  await settle();
  server.publish('old');
  await settle();
  client.send(JSON.stringify({ id: 'a', type: 'complete' }));
  await until('it to be gone', () => server.channel.size === 1);
  const query = 'subscription { item { number } }';
  client.send(JSON.stringify({ id: 'a', type: 'subscribe', payload: { query } }));
  await until('it to be subscribed', () => server.channel.size === 2);
  server.publish('new');
  client.resume();
  await until('the last', () => numbers('b').at(-1) === 62 && numbers('a').at(-1) === 62);
  assert.equal(numbers('b').length, 62);
  assert.ok(!numbers('a').includes(61));
});
