import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, nat, property, record } from 'fast-check';
import { Rates, shownSeconds } from '../../../src/console/rates.ts';

const startMs = Date.UTC(2026, 10, 23);

test('what happens in a second is counted in it, and the running second is not shown', () => {
  const rates = new Rates();
  rates.add(3, startMs + 100);
  rates.add(4, startMs + 900);
  rates.add(5, startMs + 2_100);
  const [seconds, counts] = rates.series(startMs + 2_200);
  assert.deepEqual(counts.slice(-2), [7, 0]);
  assert.equal(seconds.at(-1), startMs / 1_000 + 1);
  assert.equal(seconds.length, counts.length);
});

test('the recent rate is the average of the last five whole seconds', () => {
  const rates = new Rates();
  for (let second = 0; second < 10; second++) rates.add(second, startMs + second * 1_000);
  assert.equal(rates.recent(startMs + 10_000), (5 + 6 + 7 + 8 + 9) / 5);
  assert.equal(rates.recent(startMs + 60_000), 0);
});

test('seconds follow each other, as many as are shown, however long nothing happened', () => {
  check(
    property(array(record({ waitMs: nat(400_000), count: nat(9) }), { maxLength: 30 }), (steps) => {
      const rates = new Rates();
      let nowMs = startMs;
      for (const { waitMs, count } of steps) {
        nowMs += waitMs;
        rates.add(count, nowMs);
      }
      const [seconds] = rates.series(nowMs);
      assert.equal(seconds.length, shownSeconds);
      const first = seconds[0] ?? 0;
      assert.deepEqual(
        seconds,
        seconds.map((_, index) => first + index),
      );
    }),
  );
});
