import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OpenConnection, OpenConnections } from '../../../src/transports/open-connections.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const client = { transport: 'feed-ws', projectId: undefined, backlogBytes: 0 } as const;

/** Connections of which each tells when it was let go, and closes at once unless it `stays`. */
function open(count: number, { stays = false } = {}) {
  const clock = new ManualClock();
  const startedAtMs = clock.now();
  let turn = 0;
  // Evenly spread, in an order of their own.
  const random = (): number => ((turn++ * 7) % count) / count;
  const connections = new OpenConnections({ clock, random });
  const goneAtMs: number[] = [];
  for (let made = 0; made < count; made += 1) {
    const connection: OpenConnection = {
      ...client,
      goAway() {
        goneAtMs.push(clock.now() - startedAtMs);
        if (!stays) connections.remove(connection);
      },
    };
    connections.add(connection);
  }
  return { clock, connections, goneAtMs };
}

test('connections are let go one after the other, 10 ms for each', async () => {
  const { clock, connections, goneAtMs } = open(100);
  const done = connections.letGo(5_000);
  await clock.advance(1_000);
  await done;
  assert.equal(goneAtMs.length, 100);
  assert.deepEqual(
    goneAtMs,
    Array.from({ length: 100 }, (_, index) => index * 10),
  );
});

test('however many there are, it takes no longer than was said', async () => {
  const { clock, connections, goneAtMs } = open(1_000);
  const done = connections.letGo(2_000);
  await clock.advance(2_000);
  await done;
  assert.equal(goneAtMs.length, 1_000);
  assert.ok(Math.max(...goneAtMs) < 2_000);
  assert.equal(connections.size, 0);
});

test('without connections there is nothing to wait for', async () => {
  const { connections } = open(0);
  await connections.letGo(5_000);
});

test('it ends early when all have left by themselves', async () => {
  const connections = new OpenConnections({ clock: new ManualClock() });
  const connection: OpenConnection = { ...client, goAway: () => undefined };
  connections.add(connection);
  const done = connections.letGo(5_000);
  await settle();
  connections.remove(connection);
  await done;
});

test('who came meanwhile is let go at the end', async () => {
  const { clock, connections } = open(10, { stays: true });
  const done = connections.letGo(1_000);
  let isGone = false;
  connections.add({
    ...client,
    goAway() {
      isGone = true;
    },
  });
  await clock.advance(100);
  await done;
  assert.ok(isGone);
});

test('clients are told to come back after times of random length', () => {
  const connections = new OpenConnections({ clock: new ManualClock() });
  const times = Array.from({ length: 50 }, () => connections.pickRetryMs());
  assert.ok(times.every((ms) => Number.isInteger(ms) && ms >= 200 && ms <= 2_000));
  assert.ok(new Set(times).size > 10);
});
