import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flood } from '../../overload/flood.ts';
import { shed } from '../../overload/shed.ts';
import { storm } from '../../overload/storm.ts';
import { sharedCluster } from '../../support/kafka.ts';

/** The small forms of `npm run test:overload`. */
const canOverload = process.platform === 'linux' ? false : 'for Linux';

test('a server is killed under its clients: all are back soon, with few logins, and each goes on where it was', {
  skip: canOverload,
}, async (t) => {
  const log = (line: string): void => t.diagnostic(line);
  const figures = await storm({ kafka: await sharedCluster(), clients: 200, log });
  t.diagnostic(JSON.stringify(figures));
  assert.ok(figures.allBackMs < 60_000);
  assert.ok(figures.logins < 40, `${figures.logins} logins`);
  assert.equal(figures.anomalies, 0);
});

test('more clients come than there are descriptors: the others are told, those who are there go on, and room is given again', {
  skip: canOverload,
}, async (t) => {
  const clients = 350;
  const figures = await shed({
    kafka: await sharedCluster(),
    clients,
    process: { maxOpenFiles: 256 },
    log: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(figures));
  const { admitted, admittedLater, unclear, health, anomalies, isRunning } = figures;
  assert.ok(isRunning);
  assert.ok(admitted > 50 && admitted < clients, `${admitted} let in`);
  assert.equal(unclear, 0, JSON.stringify(figures.refusals));
  assert.deepEqual(health, [200, 200]);
  assert.equal(admittedLater, Math.floor(admitted / 4));
  assert.equal(anomalies, 0);
});

test('one tenant floods: it gets no more than it may, and all of it in order; another one loses nothing and no connection', {
  skip: canOverload,
}, async (t) => {
  const figures = await flood({
    kafka: await sharedCluster(),
    clients: 10,
    rounds: 1,
    seconds: 1,
    settings: { MILLRACE_LIMITS_BYTES_PER_SECOND_PER_PROJECT: '1MiB' },
    log: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(figures));
  const { flooded, floodPerSecond, anomalies, disconnected } = figures;
  assert.ok(flooded.events > 0);
  // Of more than 1,000 bytes each; half a second's worth may come at once.
  assert.ok(floodPerSecond > 0 && floodPerSecond < 1_500, `${floodPerSecond} events a second`);
  assert.equal(anomalies, 0);
  assert.equal(disconnected, 0);
});
