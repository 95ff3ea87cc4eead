import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, lingerMs, openHub } from '../../support/hub.ts';

const topics = { purchases: 1, 'purchases-dlq': 1 };
/** Longer than the lateness, in which events are put in order. */
const flushMs = 5_000;

test('who asks for events after dead letters is soon live, and gets no copy of what was before', async (t) => {
  const { clock, hub, principal, use, record, events } = openHub(t, { topics });
  record('a');
  await clock.advance(1_000);
  const letters = hub.deadLetters(principal, { topic: 'purchases' });
  await clock.advance(1_000);
  collect(await letters);
  record('b');
  await clock.advance(lingerMs * 2);
  const readers = use.openReaders.size;
  const accepted = events({ sinceMs: 0 });
  await clock.advance(1_000);
  const received = collect(await accepted);
  await clock.advance(flushMs);
  assert.deepEqual(received.ids, ['a', 'b']);
  assert.equal(use.openReaders.size, readers);
  for (const id of ['b', 'a', 'c']) record(id);
  await clock.advance(flushMs);
  assert.deepEqual(received.ids, ['a', 'b', 'c']);
});

test('the ids are kept while the topic is read, whoever leaves', async (t) => {
  const { clock, hub, principal, record, events } = openHub(t, { topics });
  const letters = hub.deadLetters(principal, { topic: 'purchases' });
  await clock.advance(1_000);
  collect(await letters);
  for (const order of ['TIMESTAMP', 'SEQUENCE', 'ARRIVAL'] as const) {
    const subscription = await events({ order });
    const received = collect(subscription);
    record(order);
    record('known');
    await clock.advance(flushMs);
    assert.deepEqual(received.sortedIds, order === 'TIMESTAMP' ? ['TIMESTAMP', 'known'] : [order]);
    subscription.leave();
    await clock.advance(lingerMs * 2);
  }
});

test('with copies, too, another one knows the ids for those who want none', async (t) => {
  const { clock, record, events } = openHub(t, { topics });
  record('a');
  await clock.advance(1_000);
  collect(await events({ deduplicate: false }));
  await clock.advance(lingerMs * 2);
  const received = collect(await events({ order: 'ARRIVAL' }));
  record('a');
  record('b');
  await clock.advance(flushMs);
  assert.deepEqual(received.ids, ['b']);
});
