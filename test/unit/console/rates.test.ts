import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, boolean, nat, property, record } from 'fast-check';
import { Rates, shownSeconds } from '../../../src/console/rates.ts';

const startMs = Date.UTC(2026, 10, 23);

test('what happens in a second is counted in it, and the running second is not shown', () => {
  const rates = new Rates();
  rates.start(startMs);
  rates.add(3, startMs + 100);
  rates.add(4, startMs + 900);
  rates.add(5, startMs + 2_100);
  const [seconds, counts] = rates.series(startMs + 2_200);
  assert.deepEqual(counts.slice(-2), [7, 0]);
  assert.equal(seconds.at(-1), startMs / 1_000 + 1);
  assert.equal(seconds.length, counts.length);
});

test('nothing is said of seconds in which nobody has counted, or not from beginning to end', () => {
  const rates = new Rates();
  rates.start(startMs + 500);
  rates.add(3, startMs + 600);
  rates.add(4, startMs + 1_500);
  rates.stop(startMs + 3_500);
  rates.start(startMs + 6_500);
  const [, counts] = rates.series(startMs + 9_000);
  assert.deepEqual(counts.slice(-10), [null, null, 4, 0, null, null, null, null, 0, 0]);
  assert.equal(counts.length, shownSeconds);
});

test('what happened between two moments is spread over them, and the seconds at both ends wait for more', () => {
  const rates = new Rates();
  rates.spread(40, startMs + 500, startMs + 2_500);
  assert.deepEqual(rates.series(startMs + 4_000)[1].slice(-4), [null, 20, null, null]);
  rates.spread(10, startMs + 2_500, startMs + 4_500);
  assert.deepEqual(rates.series(startMs + 6_000)[1].slice(-6), [null, 20, 12.5, 5, null, null]);
});

test('the recent rate is the average of what is known of the last five whole seconds', () => {
  const rates = new Rates();
  assert.equal(rates.recent(startMs), undefined);
  rates.start(startMs);
  for (let second = 0; second < 10; second++) rates.add(second, startMs + second * 1_000);
  assert.equal(rates.recent(startMs + 10_000), (5 + 6 + 7 + 8 + 9) / 5);
  rates.stop(startMs + 10_000);
  assert.equal(rates.recent(startMs + 12_000), (7 + 8 + 9) / 3);
  assert.equal(rates.recent(startMs + 60_000), undefined);
});

test('property: seconds follow each other, as many as are shown, and while it is counted all are known', () => {
  const step = record({ waitMs: nat(400_000), count: nat(9), counting: boolean() });
  check(
    property(array(step, { maxLength: 30 }), (steps) => {
      const rates = new Rates();
      let nowMs = startMs;
      for (const { waitMs, count, counting } of steps) {
        nowMs += waitMs;
        if (counting) rates.start(nowMs);
        else rates.stop(nowMs);
        rates.add(count, nowMs);
      }
      const [seconds] = rates.series(nowMs);
      assert.equal(seconds.length, shownSeconds);
      const first = seconds[0] ?? 0;
      assert.deepEqual(
        seconds,
        seconds.map((_, index) => first + index),
      );
      rates.start(nowMs);
      const [, counts] = rates.series(nowMs + shownSeconds * 1_000 + 1_000);
      assert.ok(!counts.includes(null));
    }),
  );
});
