import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientPool } from '../../../src/hub/client-pool.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const lingerMs = 1_000;
const [a, b] = ['a', 'b'].map((loginId) => ({ loginId, login: null }));
assert.ok(a && b);

function openPool() {
  const clock = new ManualClock();
  const kafka = new EmbeddedKafka({ clock });
  let closed = 0;
  const pool = new ClientPool(
    {
      name: 'embedded',
      connect(sasl) {
        const client = kafka.driver().connect(sasl);
        client.close = async () => {
          closed += 1;
        };
        return client;
      },
    },
    clock,
    lingerMs,
  );
  return { clock, pool, closed: () => closed };
}

test('equal logins share a client, others do not', () => {
  const { pool } = openPool();
  assert.equal(pool.lease(a).client, pool.lease(a).client);
  assert.notEqual(pool.lease(a).client, pool.lease(b).client);
});

test('a client is closed a while after its last use, and releasing twice counts once', async () => {
  const { clock, pool, closed } = openPool();
  const [first, second] = [pool.lease(a), pool.lease(a)];
  first.release();
  first.release();
  await clock.advance(lingerMs * 2);
  assert.equal(closed(), 0);
  second.release();
  await clock.advance(lingerMs - 1);
  const again = pool.lease(a);
  assert.equal(again.client, first.client);
  await clock.advance(lingerMs);
  assert.equal(closed(), 0);
  again.release();
  await clock.advance(lingerMs);
  assert.equal(closed(), 1);
  assert.notEqual(pool.lease(a).client, first.client);
});

test('after close each client is closed once and no other is opened', async () => {
  const { clock, pool, closed } = openPool();
  const lease = pool.lease(a);
  pool.lease(b).release();
  await pool.close();
  lease.release();
  await clock.advance(lingerMs * 2);
  assert.equal(closed(), 2);
  assert.throws(() => pool.lease(a), { code: 'KAFKA_UNAVAILABLE' });
});
