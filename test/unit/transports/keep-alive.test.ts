import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { ClientOptions } from 'ws';
import {
  KeepAlive,
  type KeepAliveOptions,
  lastWordsMs,
} from '../../../src/transports/keep-alive.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import { type SocketPair, socketPair } from '../../support/websocket.ts';

const intervalMs = 12_000;
const stallTimeoutMs = 60_000;

async function watched(
  t: TestContext,
  options?: ClientOptions,
  given: Partial<KeepAliveOptions> = {},
) {
  const clock = new ManualClock();
  const stalled = Promise.withResolvers<void>();
  const keepAlive = new KeepAlive({
    clock,
    intervalMs,
    stallTimeoutMs,
    onStalled: stalled.resolve,
    ...given,
  });
  t.after(() => keepAlive.stop());
  const pair = await socketPair(t, options);
  keepAlive.watch(pair.socket, pair.stream);
  return { clock, keepAlive, stalled: stalled.promise, ...pair };
}

/** More than the system takes off a socket whose other end takes nothing. */
async function fill({ client, socket }: SocketPair): Promise<void> {
  client.pause();
  const chunk = 'x'.repeat(1_048_576);
  while (socket.bufferedAmount === 0) {
    socket.send(chunk);
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

test('who answers is kept', async (t) => {
  const { clock, socket } = await watched(t);
  for (let i = 0; i < 5; i += 1) {
    const answered = once(socket, 'pong');
    await clock.advance(intervalMs);
    await answered;
  }
  assert.equal(socket.readyState, socket.OPEN);
});

test('what has closed is let go', async (t) => {
  const { keepAlive, socket } = await watched(t);
  const other = await socketPair(t);
  keepAlive.watch(other.socket, other.stream);
  assert.equal(keepAlive.size, 2);
  keepAlive.forget(socket);
  keepAlive.forget(socket);
  assert.equal(keepAlive.size, 1);
});

test('who is silent is cut within two intervals', async (t) => {
  const { clock, socket, client } = await watched(t, { autoPong: false });
  const asked = once(client, 'ping');
  const cut = once(socket, 'close');
  await clock.advance(intervalMs);
  await asked;
  assert.equal(socket.readyState, socket.OPEN);
  await clock.advance(intervalMs);
  await cut;
  assert.equal(socket.readyState, socket.CLOSED);
});

test('who has much to take before it comes to the ping has longer for it', async (t) => {
  const { clock, socket, stream, client } = await watched(t, { autoPong: false });
  let taken = 0;
  client.on('message', () => {
    taken += 1;
  });
  const asked = once(client, 'ping');
  await clock.advance(intervalMs);
  await asked;
  const messages = 3;
  for (let sent = 0; sent < messages; sent += 1) socket.send('x'.repeat(1_048_576));
  await until('the system to have it', () => taken === messages && socket.bufferedAmount === 0);
  await clock.advance(intervalMs * 4);
  assert.equal(socket.readyState, socket.OPEN);
  const cut = once(socket, 'close');
  await clock.advance(stallTimeoutMs);
  await cut;
  assert.ok(stream.destroyed);
});

test('who sends anything is alive', async (t) => {
  const { clock, socket, client } = await watched(t, { autoPong: false });
  for (let i = 0; i < 5; i += 1) {
    const asked = once(client, 'ping');
    await clock.advance(intervalMs);
    await asked;
    const said = once(socket, 'message');
    client.send('hello');
    await said;
  }
  assert.equal(socket.readyState, socket.OPEN);
});

test('who is slow to take what waits is not cut for its silence, but when it takes nothing at all', async (t) => {
  const { clock, socket, stream, client } = await watched(t);
  await fill({ client, socket, stream });
  await clock.advance(intervalMs * 4);
  assert.equal(socket.readyState, socket.OPEN);
  await clock.advance(intervalMs * 1.5);
  assert.equal(socket.readyState, socket.CLOSING);
  await clock.advance(lastWordsMs);
  await until('the socket to be cut', () => socket.readyState === socket.CLOSED);
});

test('who sends much and takes nothing is closed all the same', async (t) => {
  const { clock, socket, stream, client, stalled } = await watched(t);
  let heard = 0;
  socket.on('message', () => {
    heard += 1;
  });
  await fill({ client, socket, stream });
  const goOn = (): void =>
    client.send('hello', (error) => {
      if (error === undefined || error === null) setImmediate(goOn);
    });
  goOn();
  await until('it to be heard', () => heard > 0);
  // Not further than it takes: who is closed has some seconds to take the rest.
  while (socket.readyState === socket.OPEN) await clock.advance(1_000);
  await stalled;
});

test('who takes again when it has been closed for taking nothing reads why', async (t) => {
  const { clock, socket, stream, client, stalled } = await watched(t);
  await fill({ client, socket, stream });
  // Not further than it takes: who is closed has some seconds to take the rest.
  while (socket.readyState === socket.OPEN) await clock.advance(1_000);
  await stalled;
  const closed = once(client, 'close');
  client.resume();
  const [code, reason] = await closed;
  assert.equal(code, 1013);
  assert.match(String(reason), /nothing was taken for 60000 ms \(limits\.stallTimeout\)/);
});

test('who never takes anything again is cut', async (t) => {
  const { clock, socket, stream, client, stalled } = await watched(t);
  await fill({ client, socket, stream });
  const closed = once(socket, 'close');
  // Not further than it takes: who is closed has some seconds to take the rest.
  while (socket.readyState === socket.OPEN) await clock.advance(1_000);
  await stalled;
  await clock.advance(lastWordsMs);
  await closed;
  assert.ok(stream.destroyed);
});

test('who takes what waits in time is kept', async (t) => {
  const { clock, socket, stream, client } = await watched(t);
  for (let i = 0; i < 3; i += 1) {
    await fill({ client, socket, stream });
    await clock.advance(stallTimeoutMs * 0.9);
    client.resume();
    await until('it to be taken', () => socket.bufferedAmount === 0);
    await clock.advance(stallTimeoutMs / 8);
  }
  assert.equal(socket.readyState, socket.OPEN);
});

test('a socket that has closed is forgotten, and stopping leaves no timer', async (t) => {
  const { clock, keepAlive, socket, client } = await watched(t);
  const closed = once(socket, 'close');
  client.close();
  await closed;
  await clock.advance(intervalMs * 3);
  keepAlive.stop();
  assert.equal(clock.pending, 0);
});
