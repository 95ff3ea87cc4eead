import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, openHub } from '../../../support/hub.ts';

test('on a quiet topic who comes to a new instance does not keep a reader until the next event', async (t) => {
  const first = openHub(t, { topics: { purchases: 3 } });
  const { clock, kafka, record } = first;
  const second = openHub(t, { topics: {}, options: { clock }, driver: () => kafka.driver() });
  const opening = first.events();
  await clock.advance(100);
  const before = collect(await opening);
  for (const [partition, id] of ['a', 'b', 'c'].entries())
    record(id, { partition, agoMs: 9 - partition });
  await clock.advance(10_000);
  assert.deepEqual(before.ids, ['a', 'b', 'c']);
  // It begins behind all of that, and knows of no key; the reader knows what the cursor says was still held.
  const other = second.events();
  await clock.advance(5_000);
  const live = collect(await other);
  const resumed = second.events({ after: before.cursors.at(-1) });
  await clock.advance(1_000);
  const after = collect(await resumed);
  assert.deepEqual([second.use.opened, second.use.openReaders.size], [2, 1]);
  record('d');
  record('late', { agoMs: 60_000 });
  await clock.advance(10_000);
  assert.deepEqual(after.ids, ['late', 'd']);
  assert.deepEqual(live.ids, ['late', 'd']);
  assert.equal(second.use.opened, 2);
});
