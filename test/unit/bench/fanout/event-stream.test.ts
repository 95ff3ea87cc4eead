import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { ChunkedParser, EventStreamParser } from '../../../../bench/fanout/client/event-stream.ts';
import { ResponseHead } from '../../../../bench/fanout/client/response-head.ts';
import { portOf } from '../../../support/websocket.ts';

const messages = [':', 'event: next\ndata: {"a":"ü"}', `event: next\ndata: ${'x'.repeat(440)}`];

/** What Node's own HTTP server makes of the messages, from the first byte of the head. */
async function responseOf(t: TestContext): Promise<Buffer> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const message of messages) response.write(`${message}\n\n`);
    response.end('event: complete\n\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const stream = connect(portOf(server), '127.0.0.1');
  t.after(() => stream.destroy());
  stream.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (Buffer.isBuffer(chunk)) chunks.push(chunk);
    if (Buffer.concat(chunks).includes('\r\n0\r\n\r\n')) break;
  }
  return Buffer.concat(chunks);
}

function read(chunks: readonly Buffer[]): string[] {
  const received: string[] = [];
  const stream = new EventStreamParser((bytes, start, end) => {
    received.push(bytes.toString('utf8', start, end));
  });
  const body = new ChunkedParser((bytes, start, end) => stream.take(bytes, start, end));
  const head = new ResponseHead();
  let inBody = false;
  for (const chunk of chunks) {
    // As reads are handed over: the buffer is used again at once.
    const bytes = Buffer.from(chunk);
    if (inBody) body.take(bytes);
    else {
      const taken = head.take(bytes);
      inBody = taken !== null;
      if (taken) body.take(taken.rest);
    }
    bytes.fill(0xff);
  }
  return received;
}

const expected = [...messages, 'event: complete'];

test('messages are read whole, wherever the response is split in two', async (t) => {
  const response = await responseOf(t);
  for (let at = 0; at <= response.length; at += 1) {
    const received = read([response.subarray(0, at), response.subarray(at)]);
    assert.deepEqual(received, expected, `split at ${at}`);
  }
});

test('messages are read whole, byte by byte', async (t) => {
  const response = await responseOf(t);
  assert.deepEqual(read(Array.from(response, (byte) => Buffer.of(byte))), expected);
});
