import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadinessProbe, readinessOfFeeds } from '../../../src/transports/readiness.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function probeOf(contact: () => Promise<void>) {
  const clock = new ManualClock();
  const use = { contacts: 0 };
  const probe = new ReadinessProbe({
    clock,
    contact: () => {
      use.contacts += 1;
      return contact();
    },
    reasonOf: () => 'out of reach',
  });
  return { clock, use, probe };
}

test('an answer stands for five seconds, for all who ask', async () => {
  let reachable = true;
  const { clock, use, probe } = probeOf(async () => {
    if (!reachable) throw new Error('the password is hunter2');
  });
  await Promise.all([probe.check(), probe.check()]);
  reachable = false;
  await clock.advance(4_999);
  assert.deepEqual(await probe.check(), { status: 'ready' });
  assert.equal(use.contacts, 1);
  await clock.advance(1);
  assert.deepEqual(await probe.check(), { status: 'degraded', reason: 'out of reach' });
  assert.equal(use.contacts, 2);
  assert.equal(clock.pending, 0);
});

test('a cluster that does not answer is out of reach after two seconds, and is asked once only', async () => {
  const contact = Promise.withResolvers<void>();
  const { clock, use, probe } = probeOf(() => contact.promise);
  const asked = probe.check();
  await clock.advance(2_000);
  assert.equal((await asked).status, 'degraded');
  await clock.advance(10_000);
  assert.equal((await probe.check()).status, 'degraded');
  assert.equal(use.contacts, 1);
  contact.resolve();
  await clock.advance(0);
  assert.equal((await probe.check()).status, 'ready');
  assert.equal(use.contacts, 2);
});

function statusOf(...states: string[]): string | undefined {
  return readinessOfFeeds(states.map((state) => ({ state })))?.status;
}

test('feeds tell that the cluster is out of reach when none can be read', () => {
  assert.equal(statusOf(), undefined);
  assert.equal(statusOf('STARTING'), undefined);
  assert.equal(statusOf('DEGRADED'), 'degraded');
  assert.equal(statusOf('DEGRADED', 'STARTING'), 'degraded');
  assert.equal(statusOf('DEGRADED', 'RUNNING'), 'ready');
});

test('an answer of before the clock was set back does not stand', async () => {
  let reachable = false;
  const { clock, probe } = probeOf(async () => {
    if (!reachable) throw new Error('not yet');
  });
  assert.equal((await probe.check()).status, 'degraded');
  clock.jump(-3_600_000);
  reachable = true;
  assert.equal((await probe.check()).status, 'ready');
});
