import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { type RawData, WebSocket as WsClient } from 'ws';
import { createLogger } from '../../../../src/observe/logger.ts';
import { createHttpServer } from '../../../../src/transports/http-server.ts';
import { SharedMessage } from '../../../../src/transports/websocket/shared-message.ts';
import { portOf } from '../../../support/websocket.ts';

/** The server's side of one client's connection. */
interface Peer {
  /** Writes frames past ws, as the fan-out does. */
  readonly stream: Socket;
  readonly extensions: string;
  /** What the client said, decompressed. */
  readonly said: () => Promise<string>;
}

interface Client {
  /** What was received, in its order. */
  readonly next: () => Promise<string>;
  readonly send: (text: string) => void;
  readonly closed: Promise<number>;
}

type Connect = (t: TestContext, url: string) => Promise<Client>;

function textOf(data: RawData): string {
  assert.ok(Buffer.isBuffer(data));
  return data.toString();
}

/** Messages in a row, and those who wait for the next. */
function queue() {
  const messages: string[] = [];
  const waiting: ((message: string) => void)[] = [];
  return {
    put(message: string): void {
      const resolve = waiting.shift();
      if (resolve === undefined) messages.push(message);
      else resolve(message);
    },
    next: (): Promise<string> => {
      const message = messages.shift();
      if (message !== undefined) return Promise.resolve(message);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

const withWs: Connect = async (t, url) => {
  const socket = new WsClient(url, 'p', { perMessageDeflate: { threshold: 0 } });
  const received = queue();
  socket.on('message', (data, isBinary) => {
    assert.equal(isBinary, false);
    received.put(textOf(data));
  });
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return { next: received.next, send: (text) => socket.send(text), closed };
};

/** Node's own, which is that of browsers in its interface. */
const withWhatwg: Connect = async (t, url) => {
  const socket = new WebSocket(url, 'p');
  const received = queue();
  socket.addEventListener('message', ({ data }) => received.put(String(data)));
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener('close', ({ code }) => resolve(code));
  });
  t.after(() => socket.close());
  await once(socket, 'open');
  return { next: received.next, send: (text) => socket.send(text), closed };
};

/** Would have the server keep a smaller window. */
const narrow: Connect = async (t, url) => {
  const socket = new WsClient(url, 'p', { perMessageDeflate: { serverMaxWindowBits: 9 } });
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return { next: () => assert.fail(), send: () => undefined, closed: Promise.resolve(0) };
};

async function connected(t: TestContext, connect: Connect, compression: boolean) {
  const accepted = Promise.withResolvers<Peer>();
  const { server } = createHttpServer({
    routes: new Map(),
    socketRoutes: new Map([
      [
        '/',
        {
          protocols: ['p'],
          serve: (socket, _stream, { socket: stream }) => {
            const said = queue();
            socket.on('message', (data) => said.put(textOf(data)));
            accepted.resolve({ stream, extensions: socket.extensions, said: said.next });
          },
        },
      ],
    ]),
    allowedOrigins: [],
    maxInboundFrameBytes: 65_536,
    maxStallMs: 60_000,
    compression,
    logger: createLogger({ level: 'silent' }),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const client = await connect(t, `ws://127.0.0.1:${portOf(server)}/`);
  return { client, peer: await accepted.promise };
}

const compresses = ({ extensions }: Peer): boolean => extensions.includes('permessage-deflate');

/** Texts whose lengths are about those at which a frame takes another form. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.json(),
  fc
    .tuple(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
      fc.constantFrom(100, 125, 126, 255, 256, 257, 65_535, 65_536, 200_000),
      fc.integer({ min: -30, max: 30 }),
    )
    .map(([unit, length, off]) =>
      unit.repeat(Math.ceil((length + off) / unit.length)).toWellFormed(),
    ),
);
const beginning = fc.string({ unit: 'grapheme', maxLength: 130 });

for (const [name, connect] of Object.entries({ ws: withWs, WHATWG: withWhatwg })) {
  for (const compression of [true, false]) {
    test(`${name}: messages are read as they were meant, compression ${compression ? 'on' : 'off'}`, async (t) => {
      const { client, peer } = await connected(t, connect, compression);
      assert.equal(compresses(peer), compression);
      await fc.assert(
        fc.asyncProperty(
          text,
          fc.array(beginning, { minLength: 1, maxLength: 3 }),
          async (end, begins) => {
            const message = new SharedMessage(end);
            for (const begin of begins) {
              for (const part of message.frame(begin, compresses(peer))) peer.stream.write(part);
            }
            for (const begin of begins) assert.equal(await client.next(), begin + end);
          },
        ),
        { numRuns: 150 },
      );
    });
  }

  test(`${name}: compressed messages of the client are read, and bounded decompressed`, async (t) => {
    const { client, peer } = await connected(t, connect, true);
    const long = 'a message '.repeat(1_000);
    for (const sent of ['', 'short', long, long]) {
      client.send(sent);
      assert.equal(await peer.said(), sent);
    }
    client.send('x'.repeat(1_000_000));
    assert.equal(await client.closed, 1_009);
  });
}

test('a client whose offer cannot be accepted is served without', async (t) => {
  const { peer } = await connected(t, narrow, true);
  assert.equal(peer.extensions, '');
});

test('an end is compressed once for all, and not at all where that does not pay', () => {
  const long = new SharedMessage(`{"a":"${'event '.repeat(100)}"}`);
  const [first, shared] = long.frame('{"id":"1"', true);
  const [second, sharedToo] = long.frame('{"id":"2"', true);
  assert.equal(shared, sharedToo);
  assert.ok(shared.length < long.bytes / 4);
  assert.notDeepEqual(first, second);
  assert.equal(first.readUInt8(0), 0xc1);

  const short = new SharedMessage('{"a":"event event event event"}');
  assert.equal(short.frame('', true)[0].readUInt8(0), 0x81);
  const noise = new SharedMessage(
    Array.from({ length: 300 }, (_, index) => String.fromCodePoint((index * 7919) % 0xd800)).join(
      '',
    ),
  );
  const [header, plain] = noise.frame('', true);
  assert.equal(header.readUInt8(0) === 0x81, plain.length === noise.bytes);
});
