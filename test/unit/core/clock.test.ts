import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { portOf } from '../../support/websocket.ts';

/** As a machine that is busy, or suspended, does with a process. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('what came while the process stood still is read before a timer fires that is late for it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(portOf(server), '127.0.0.1');
  const [accepted]: Socket[] = await once(server, 'connection');
  assert.ok(accepted);
  t.after(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  const happened: string[] = [];
  const data = once(accepted, 'data').then(() => happened.push('heard'));
  const fired = Promise.withResolvers<void>();
  systemClock.schedule(20, () => {
    happened.push('judged');
    fired.resolve();
  });
  client.write('in time');
  standStill(700);
  await Promise.all([data, fired.promise]);
  assert.deepEqual(happened, ['heard', 'judged']);
});

test('a timer that was cancelled while it was late does not fire', async () => {
  let hasFired = false;
  const timer = systemClock.schedule(1, () => {
    hasFired = true;
  });
  const cancelled = new Promise<void>((resolve) => {
    systemClock.schedule(1, resolve);
    // In the same turn, before what comes after reading.
    setTimeout(() => timer.cancel(), 1);
  });
  standStill(700);
  await cancelled;
  assert.equal(hasFired, false);
});
