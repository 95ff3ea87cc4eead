import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { FrameParser, maskedFrame, opcode } from '../../../../bench/fanout/client/frames.ts';
import { ResponseHead } from '../../../../bench/fanout/client/response-head.ts';
import { portOf } from '../../../support/websocket.ts';

const upgrade = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  '\r\n',
].join('\r\n');

/** A raw connection to the `ws` package, which does as `serve` says; both are gone with the test. */
async function rawConnection(t: TestContext, serve: (socket: WebSocket) => void) {
  const server = createServer();
  new WebSocketServer({ server }).on('connection', serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stream = connect(portOf(server), '127.0.0.1');
  t.after(() => {
    stream.destroy();
    server.close();
  });
  stream.write(upgrade);
  return stream;
}

/** All that `ws` writes behind its head until it closes the connection. */
async function bytesOf(t: TestContext, serve: (socket: WebSocket) => void): Promise<Buffer> {
  const stream = await rawConnection(t, serve);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const head = new ResponseHead().take(Buffer.concat(chunks));
  assert.equal(head?.status, 101);
  return head.rest;
}

interface Frame {
  readonly code: number;
  readonly text: string;
}

function collector(): { frames: Frame[]; parser: FrameParser } {
  const frames: Frame[] = [];
  const parser = new FrameParser((code, bytes, start, end) => {
    frames.push({ code, text: bytes.toString('utf8', start, end) });
  });
  return { frames, parser };
}

/** As reads are handed over: the buffer is used again at once. */
function takeAndReuse(parser: FrameParser, chunk: Buffer): void {
  const read = Buffer.from(chunk);
  parser.take(read);
  read.fill(0xff);
}

const texts = ['', 'a', 'ü'.repeat(62), 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(440)];

function sendAll(socket: WebSocket): void {
  for (const text of texts) socket.send(text);
  socket.ping('still there?');
  socket.send('last', () => socket.terminate());
}

const sent: readonly Frame[] = [
  ...texts.map((text) => ({ code: opcode.text, text })),
  { code: opcode.ping, text: 'still there?' },
  { code: opcode.text, text: 'last' },
];

test('frames of ws are read whole, wherever they are split in two', async (t) => {
  const bytes = await bytesOf(t, sendAll);
  for (let at = 0; at <= bytes.length; at += 1) {
    const { frames, parser } = collector();
    takeAndReuse(parser, bytes.subarray(0, at));
    takeAndReuse(parser, bytes.subarray(at));
    assert.deepEqual(frames, sent, `split at ${at}`);
  }
});

test('frames of ws are read whole, byte by byte', async (t) => {
  const { frames, parser } = collector();
  for (const byte of await bytesOf(t, sendAll)) takeAndReuse(parser, Buffer.of(byte));
  assert.deepEqual(frames, sent);
});

test('a frame with a length of eight bytes is read whole', async (t) => {
  const text = 'e'.repeat(65_536);
  const bytes = await bytesOf(t, (socket) => socket.send(text, () => socket.terminate()));
  for (const at of [1, 2, 9, 10, 11, 40_000, bytes.length - 1, bytes.length]) {
    const { frames, parser } = collector();
    takeAndReuse(parser, bytes.subarray(0, at));
    takeAndReuse(parser, bytes.subarray(at));
    assert.deepEqual(frames, [{ code: opcode.text, text }], `split at ${at}`);
  }
});

test('a close frame carries its code and reason', async (t) => {
  const stream = await rawConnection(t, (socket) => socket.close(4403, 'no'));
  const codes: number[] = [];
  const parser = new FrameParser((code, bytes, start, end) => {
    assert.equal(code, opcode.close);
    codes.push(bytes.readUInt16BE(start));
    assert.equal(bytes.toString('utf8', start + 2, end), 'no');
  });
  const head = new ResponseHead();
  let rest: Buffer | undefined;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    if (rest === undefined) {
      rest = head.take(chunk)?.rest;
      if (rest) parser.take(rest);
    } else parser.take(chunk);
    if (codes.length > 0) break;
  }
  assert.deepEqual(codes, [4403]);
});

test('what is neither whole nor plain is refused', () => {
  const { parser } = collector();
  const fragment = Buffer.of(0x01, 1, 65);
  const compressed = Buffer.of(0xc1, 1, 65);
  assert.throws(() => parser.take(fragment), /a frame that begins with 1$/);
  assert.throws(() => parser.take(compressed), /a frame that begins with 193$/);
  assert.throws(() => parser.take(maskedFrame(opcode.text, 'A')), /masked/);
});

test('ws reads the frames of the client', async (t) => {
  const received = Promise.withResolvers<string[]>();
  const messages: string[] = [];
  const long = 'f'.repeat(65_536);
  const stream = await rawConnection(t, (socket) => {
    socket.on('message', (data) => {
      if (Buffer.isBuffer(data)) messages.push(data.toString());
      if (messages.at(-1) === 'last') received.resolve(messages);
    });
  });
  const all = [...texts, long, 'last'];
  stream.write(Buffer.concat(all.map((text) => maskedFrame(opcode.text, text))));
  assert.deepEqual(await received.promise, all);
});
