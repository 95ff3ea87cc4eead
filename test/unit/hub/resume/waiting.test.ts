import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, openHub } from '../../../support/hub.ts';

test('a reader that waits for its only subscriber asks it once, however long that takes nothing', async (t) => {
  const { clock, record, events } = openHub(t, { options: { historyBytes: 1 } });
  for (let each = 0; each < 50; each += 1) record(`e${each}`, { pad: 'x'.repeat(1_000) });
  await clock.advance(60_000);
  const resumed = events({ sinceMs: 0 });
  await clock.advance(1_000);
  const subscription = await resumed;
  const asked = t.mock.method(subscription, 'whenTaken');
  await clock.advance(60_000);
  const calls = asked.mock.callCount();
  assert.ok(calls < 5, `asked ${calls} times`);
  const taken = collect(subscription);
  await clock.advance(10_000);
  assert.equal(taken.ids.length, 50);
});
