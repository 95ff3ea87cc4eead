import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../../src/kafka/port.ts';
import { type HealthOptions, readinessOf } from '../../../src/transports/health.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const feeds = () => [{ state: 'RUNNING' }];

async function refused(): Promise<void> {
  throw new KafkaError('AUTHENTICATION_FAILED', 'the password is hunter2');
}

function askedOf(options: Partial<HealthOptions>) {
  const readiness = readinessOf({
    clock: new ManualClock(),
    isDraining: () => false,
    login: undefined,
    brokers: [],
    feeds: () => [],
    ...options,
  });
  return readiness();
}

test('with a login of its own the server asks the cluster, whatever its feeds are doing', async () => {
  assert.deepEqual(await askedOf({ feeds, login: async () => undefined }), { status: 'ready' });
  assert.deepEqual(await askedOf({ feeds, login: refused }), {
    status: 'degraded',
    reason: 'Kafka refuses the login of this server',
  });
});

test('without one, what is read tells, and where nothing is, whether a broker takes connections', async () => {
  const broken = { state: 'DEGRADED' };
  assert.equal((await askedOf({ feeds: () => [broken, { state: 'RUNNING' }] })).status, 'ready');
  assert.equal((await askedOf({ feeds: () => [broken] })).status, 'degraded');
  assert.equal((await askedOf({})).status, 'ready', 'the log is in this process');
  assert.deepEqual(await askedOf({ brokers: ['127.0.0.1:1'] }), {
    status: 'degraded',
    reason: 'Kafka cannot be reached',
  });
});

test('who has been told to stop is not ready, whatever else', async () => {
  const readiness = askedOf({ isDraining: () => true, feeds });
  assert.deepEqual(await readiness, { status: 'draining' });
});
