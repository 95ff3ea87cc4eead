import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../../src/transports/outbox.ts';
import { settle } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import { socketPair } from '../../support/websocket.ts';

const chunk = 'x'.repeat(1_048_576);

/** Fills what the system holds for a client that takes nothing, until writers have to wait. */
async function stalled(t: Parameters<typeof socketPair>[0]) {
  const pair = await socketPair(t);
  pair.client.pause();
  const outbox = new Outbox(pair.socket, pair.stream);
  let waiting = outbox.sendAll([chunk]);
  while (!(await isPending(waiting))) waiting = outbox.sendAll([chunk]);
  return { ...pair, outbox, waiting };
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => false), settle().then(() => true)]);
}

test('messages arrive in order, many in one write', async (t) => {
  const { socket, stream, client } = await socketPair(t);
  const received: string[] = [];
  const all = new Promise<void>((resolve) => {
    client.on('message', (data: Buffer) => {
      received.push(data.toString());
      if (received.length === 3) resolve();
    });
  });
  await new Outbox(socket, stream).sendAll(['a', 'b', 'c']);
  await all;
  assert.deepEqual(received, ['a', 'b', 'c']);
});

test('writers wait while the client takes nothing, with one pair of listeners, and go on when it does', async (t) => {
  const { stream, client, outbox, waiting } = await stalled(t);
  const listeners = stream.listenerCount('drain');
  const others = Array.from({ length: 20 }, () => outbox.sendAll(['more']));
  await settle();
  assert.equal(stream.listenerCount('drain'), listeners);
  client.resume();
  await Promise.all([waiting, ...others]);
  assert.equal(stream.listenerCount('drain'), listeners - 1);
});

test('writers stop waiting when the socket closes, and nobody waits for one that is gone', async (t) => {
  const { socket, outbox, waiting } = await stalled(t);
  socket.terminate();
  await waiting;
  await outbox.sendAll(['after the end']);
});

function* faulty(): Generator<string> {
  yield 'made';
  throw new Error('not made');
}

test('texts that cannot be made leave the socket usable', async (t) => {
  const { socket, stream, client } = await socketPair(t);
  const outbox = new Outbox(socket, stream);
  const received = new Promise<string>((resolve) => {
    client.once('message', (data: Buffer) => resolve(data.toString()));
  });
  await assert.rejects(outbox.sendAll(faulty()), /not made/);
  assert.equal(await received, 'made');
});

/** Counts what is asked for, and knows when nobody will ask for more. */
function counted(length: number) {
  const asked = { count: 0, ended: false };
  function* texts(): Generator<string> {
    try {
      while (asked.count < length) {
        asked.count += 1;
        yield chunk;
      }
    } finally {
      asked.ended = true;
    }
  }
  return { asked, texts: texts() };
}

test('a batch that is larger than the socket takes is made piece by piece', async (t) => {
  const { socket, stream, client } = await socketPair(t);
  let received = 0;
  client.on('message', () => {
    received += 1;
  });
  const { asked, texts } = counted(64);
  const sent = new Outbox(socket, stream).sendAll(texts);
  assert.equal(asked.count, 1);
  client.pause();
  await settle();
  assert.ok(asked.count < 64, `${asked.count} made for a client that takes nothing`);
  client.resume();
  await sent;
  await until('all to arrive', () => received === 64);
});

test('of a batch nothing more is made when the socket has closed', async (t) => {
  const { socket, outbox, waiting } = await stalled(t);
  const { asked, texts } = counted(64);
  const sent = outbox.sendAll(texts);
  socket.terminate();
  await Promise.all([waiting, sent]);
  assert.deepEqual(asked, { count: 1, ended: true });
});
