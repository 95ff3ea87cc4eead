import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../../../src/core/errors.ts';
import { collect, lingerMs, openHub, principalOf, settled } from '../../support/hub.ts';
import { settle } from '../../support/manual-clock.ts';

test('a revoked key ends its subscriptions with the reason, and nobody else’s', async (t) => {
  const { clock, principal, record, events } = openHub(t);
  const revoked = collect(await events());
  const other = principalOf();
  const untouched = collect(await events({}, other));
  assert.equal(principal.retained, 1);
  principal.revoke();
  await settle();
  assert.ok(revoked.error instanceof MillraceError);
  assert.equal(revoked.error.message, 'this key was revoked');
  assert.equal(principal.retained, 0);
  record('after');
  await clock.advance(4_000);
  assert.deepEqual(revoked.ids, []);
  assert.deepEqual(untouched.ids, ['after']);
});

test('what waits for a slow reader is not handed out after its key was revoked', async (t) => {
  const { clock, principal, record, events } = openHub(t);
  const subscription = await events({ order: 'ARRIVAL' });
  record('waits');
  await clock.advance(1_000);
  assert.ok(subscription.queuedBytes > 0);
  principal.revoke();
  assert.equal(subscription.queuedBytes, 0);
  await assert.rejects(subscription.next(), { message: 'this key was revoked' });
});

test('who is revoked while waiting to be accepted is told so and leaves nothing open', async (t) => {
  const { clock, kafka, use, principal, events } = openHub(t);
  kafka.setAvailable(false);
  const accepting = events();
  await clock.advance(500);
  principal.revoke();
  await clock.advance(2_000);
  await assert.rejects((await accepting).next(), { message: 'this key was revoked' });
  assert.equal(principal.retained, 0);
  await clock.advance(lingerMs * 2);
  assert.deepEqual([use.openReaders.size, use.openClients, clock.pending], [0, 0, 0]);
});

test('dead letters come from the topic itself and from its dead-letter topic', async (t) => {
  const { clock, kafka, hub, principal } = openHub(t, {
    topics: { purchases: 2, 'purchases-dlq': 1 },
  });
  const received = collect(await hub.deadLetters(principal, { topic: 'purchases' }));
  kafka.append('purchases', { value: '{"broken' });
  kafka.append('purchases', { value: '{"id":"fine"}' });
  await clock.advance(100);
  kafka.append('purchases-dlq', { value: '{"event":"{upstream","error":"bad"}' });
  kafka.appendUnreadable('purchases', 0, 3, 'the checksum is wrong');
  await clock.advance(100);
  assert.deepEqual(received.sortedIds, ['', '{"broken', '{upstream']);
  assert.equal(received.ended, false);
});

test('what cannot be read is told in its place, once, and not from before the start', async (t) => {
  const first = openHub(t, { topics: { purchases: 1, 'purchases-dlq': 1 } });
  const { clock, kafka } = first;
  kafka.append('purchases', { value: '{"id":"before"}' });
  kafka.appendUnreadable('purchases', 0, 2, 'before the start');
  await clock.advance(1_000);
  const live = collect(
    await settled(first.hub.deadLetters(first.principal, { topic: 'purchases' })),
  );
  await clock.advance(100);
  // In one answer.
  kafka.setPartitionAvailable('purchases', 0, false);
  kafka.appendUnreadable('purchases', 0, 3, 'the checksum is wrong');
  kafka.append('purchases', { value: '{broken' });
  kafka.setPartitionAvailable('purchases', 0, true);
  await clock.advance(1_000);
  assert.deepEqual(live.ids, ['', '{broken']);
  const after = live.cursors[0] ?? '';
  await first.hub.close();

  const { hub, principal } = openHub(t, {
    topics: {},
    options: { clock },
    driver: () => kafka.driver(),
  });
  const again = hub.deadLetters(principal, { topic: 'purchases', after });
  await clock.advance(1_000);
  const received = collect(await again);
  await clock.advance(1_000);
  assert.deepEqual(received.ids, ['{broken']);
});

test('a source of dead letters that fails ends the subscription and gives back the other', async (t) => {
  const { clock, kafka, hub, use, principal } = openHub(t, {
    topics: { purchases: 1, 'purchases-dlq': 1 },
  });
  const received = collect(await hub.deadLetters(principal, { topic: 'purchases' }));
  await clock.advance(1_000);
  kafka.append('purchases-dlq', { value: '{"event":"a","error":"b"}' });
  await clock.advance(1_000);
  kafka.truncate('purchases-dlq', 0, 0);
  await clock.advance(1_000);
  assert.ok(received.error instanceof MillraceError);
  assert.equal(received.error.code, 'LOG_TRUNCATED');
  assert.equal(principal.retained, 0);
  await clock.advance(lingerMs * 2);
  assert.deepEqual([use.openReaders.size, use.openClients, clock.pending], [0, 0, 0]);
});

test('dead letters of the past come from both sources, at the reader’s own pace', async (t) => {
  const { clock, kafka, hub, principal, use } = openHub(t, {
    topics: { purchases: 1, 'purchases-dlq': 1 },
    options: { maxQueuedBytes: 64 * 1024 },
  });
  const text = '{'.padEnd(1_000, 'x');
  for (let i = 0; i < 3_000; i += 1) {
    kafka.append('purchases', { value: text });
    kafka.append('purchases-dlq', { value: JSON.stringify({ event: text, error: 'bad' }) });
  }
  await clock.advance(1);
  const accepted = hub.deadLetters(principal, { topic: 'purchases', sinceMs: 0 });
  await clock.advance(60_000);
  const subscription = await accepted;
  const { queuedBytes } = subscription;
  assert.ok(queuedBytes < 2 ** 20, `${queuedBytes} are queued`);
  const received = collect(subscription);
  await clock.advance(10_000);
  assert.equal(received.ids.length, 6_000);
  // Handed over to the live stream: each topic has one reader again.
  assert.equal(use.openReaders.size, 2);
  kafka.append('purchases', { value: '{"last' });
  await clock.advance(1_000);
  assert.equal(received.ids.at(-1), '{"last');
  assert.equal(received.ids.length, 6_001);
});

test('a reader that takes nothing holds up nobody, and loses nothing', async (t) => {
  const { clock, record, events } = openHub(t, { options: { maxQueuedBytes: 10_000 } });
  const stalled = await events({ order: 'ARRIVAL' });
  const others = collect(await events({ order: 'ARRIVAL' }));
  for (let i = 0; i < 20; i += 1) {
    record(`event ${i}`, { pad: 'x'.repeat(1_000) });
    await clock.advance(100);
  }
  assert.equal(others.ids.length, 20);
  assert.ok(stalled.queuedBytes <= 10_000);
  const late = collect(stalled);
  await clock.advance(1_000);
  assert.deepEqual(late.ids, others.ids);
});

test('filters choose for one subscriber only', async (t) => {
  const { clock, record, events } = openHub(t);
  const all = collect(await events({ order: 'ARRIVAL' }));
  const some = collect(
    await events({
      order: 'ARRIVAL',
      where: [{ property: 'id', operator: 'EQ', value: 'b' }],
    }),
  );
  for (const id of ['a', 'b', 'c']) record(id);
  await clock.advance(1_000);
  assert.deepEqual(all.ids, ['a', 'b', 'c']);
  assert.deepEqual(some.ids, ['b']);
});

test('topics are those that the principal may read, without dead-letter topics', async (t) => {
  const { clock, hub, kafka, use } = openHub(t, {
    topics: { purchases: 1, 'purchases-dlq': 1, signups: 1, 'lone-dlq': 1 },
  });
  const names = async (topics: readonly string[] | null) =>
    (await hub.topics(principalOf('acme', topics))).map(({ name }) => name);
  assert.deepEqual(await names(null), ['lone-dlq', 'purchases', 'signups']);
  assert.deepEqual(await names(['signups']), ['signups']);
  kafka.setAvailable(false);
  await assert.rejects(names(null), { code: 'KAFKA_UNAVAILABLE' });
  await clock.advance(lingerMs);
  assert.equal(use.openClients, 0);
});

test('dead letters that come to a topic that was missing wait in the log with the rest', async (t) => {
  const { clock, kafka, hub, principal } = openHub(t, {
    topics: { purchases: 1 },
    options: { maxQueuedBytes: 64 * 1024 },
  });
  const text = '{'.padEnd(1_000, 'x');
  for (let i = 0; i < 1_000; i += 1) kafka.append('purchases', { value: text });
  const subscription = await hub.deadLetters(principal, { topic: 'purchases', sinceMs: 0 });
  await clock.advance(1_000);
  kafka.createTopic('purchases-dlq', 1);
  for (let i = 0; i < 5_000; i += 1) {
    kafka.append('purchases-dlq', { value: JSON.stringify({ event: text, error: 'bad' }) });
  }
  await clock.advance(60_000);
  const { queuedBytes } = subscription;
  assert.ok(queuedBytes < 2 ** 20, `${queuedBytes} are queued`);
  const received = collect(subscription);
  await clock.advance(10_000);
  assert.equal(received.ids.length, 6_000);
});

test('since may not be in the future, but clocks may differ a little', async (t) => {
  const { clock, hub, kafka, principal, events } = openHub(t, { topics: { purchases: 1 } });
  const refusal = { code: 'BAD_USER_INPUT', details: { argument: 'since' } };
  await assert.rejects(events({ sinceMs: clock.now() + 60_001 }), refusal);
  await assert.rejects(
    hub.deadLetters(principal, { topic: 'purchases', sinceMs: clock.now() + 60_001 }),
    refusal,
  );
  const sinceMs = clock.now() + 5_000;
  const accepted = events({ sinceMs, order: 'ARRIVAL' });
  await clock.advance(2_000);
  const received = collect(await accepted);
  const record = (id: string, timestampMs: number): unknown =>
    kafka.append('purchases', { value: JSON.stringify({ id }), timestampMs });
  record('before', sinceMs - 1);
  record('at', sinceMs);
  record('after it, by an older clock', sinceMs - 1);
  await clock.advance(6_000);
  assert.deepEqual(received.ids, ['at', 'after it, by an older clock']);
});

test('each subscriber is told the topic by the name it asked for', async (t) => {
  const { clock, hub, kafka, principal, record, events, use } = openHub(t, {
    topics: { my_events: 1, 'my_events-dlq': 1 },
  });
  const names = ['my events', 'my_events', 'my events'];
  const subscriptions = await Promise.all(
    names.map((topic) => events({ topic, order: 'ARRIVAL' })),
  );
  const deadLetters = await Promise.all(
    names.map((topic) => hub.deadLetters(principal, { topic })),
  );
  assert.equal(use.opened, 2);
  await clock.advance(100);
  record('a', { topic: 'my_events' });
  kafka.append('my_events', { value: '{' });
  await clock.advance(1_000);
  for (const subscription of [...subscriptions, ...deadLetters]) {
    const { value } = await subscription.next();
    const expected = names.shift();
    assert.deepEqual([value?.[0]?.topic], [expected]);
    if (expected !== undefined) names.push(expected);
  }
});

function above(value: number) {
  return { property: 'n', operator: 'GT', value } as const;
}

test('conditions that are evaluated are bounded for each project, and given back; one that is looked up does not count', async (t) => {
  const { events } = openHub(t, { options: { maxConditionsPerProject: 4 } });
  const looked = { property: 'n', operator: 'EQ', value: 1 } as const;
  const three = await events({ where: [above(1), above(2), above(3)] });
  for (let i = 0; i < 10; i += 1) await events({ where: [looked] });
  await events({ where: [looked, above(4)] });
  const refused = { code: 'LIMIT_EXCEEDED', details: { limit: 'limits.conditionsPerProject' } };
  await assert.rejects(events({ where: [above(5)] }), refused);
  await assert.rejects(events({ where: [looked, above(5), above(6)] }), refused);
  await events({ where: [above(5)] }, principalOf('globex'));
  await three.return();
  await events({ where: [looked, above(5), above(6), above(7)] });
  await assert.rejects(events({ where: [above(8)] }), refused);
});
