import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters } from '../../../src/console/counters.ts';
import type { Topic } from '../../../src/console/topics.ts';

const startMs = Date.UTC(2026, 10, 23);

function topic(received: number): Topic {
  return {
    name: 'purchases',
    kafkaTopic: 'acme.purchases',
    partitions: [{ id: 0 }],
    feed: {
      state: 'RUNNING',
      subscribers: 1,
      received: String(received),
      delivered: '0',
      duplicates: '0',
      late: '0',
      held: 0,
      lag: '0',
    },
    deadLetters: null,
  };
}

/** Rates of the last seconds. @param told totals, and at which second each */
function ratesOf(told: readonly (readonly [second: number, total: number])[], seconds: number) {
  const counters = new Counters();
  for (const [second, total] of told) counters.update([topic(total)], startMs + second * 1_000);
  const last = told.at(-1)?.[0] ?? 0;
  return counters
    .of('purchases')
    ?.series(startMs + last * 1_000)[1]
    .slice(-seconds);
}

test('totals become rates, as of the first one', () => {
  const told = [
    [0, 1_000],
    [1, 1_020],
    [3, 1_040],
  ] as const;
  assert.deepEqual(ratesOf(told, 4), [null, 20, 10, 10]);
});

test('a feed that was started anew counts from nothing', () => {
  const told = [
    [0, 1_000],
    [1, 1_020],
    [2, 7],
  ] as const;
  assert.deepEqual(ratesOf(told, 2), [20, 7]);
});

test('what was read while the server could not be asked is no rate of any second', () => {
  const told = [
    [0, 1_000],
    [1, 1_020],
    [11, 3_000],
    [12, 3_030],
  ] as const;
  assert.deepEqual(ratesOf(told, 12), [20, ...Array.from({ length: 10 }, () => null), 30]);
});
