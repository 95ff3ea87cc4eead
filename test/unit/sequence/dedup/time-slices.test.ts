import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeSlices } from '../../../../src/sequence/dedup/time-slices.ts';

/** Slices of 100 ms. */
function open({ maxIds = 1_000 } = {}) {
  const begun: number[] = [];
  const slices: TimeSlices = new TimeSlices({
    windowMs: 1_600,
    maxIds,
    onBegun: () => begun.push(slices.current),
  });
  return { slices, begun };
}

test('a slice begins when the one before has had its share of the window', () => {
  const { slices, begun } = open();
  for (const recordedAtMs of [5_000, 5_099, 5_100, 5_150, 5_300]) slices.advance(recordedAtMs);
  assert.deepEqual(begun, [2, 3]);
  assert.equal(slices.newestMs, 5_300);
});

test('a slice begins when the one before is full, by new ids or by such as moved to it', () => {
  const { slices, begun } = open({ maxIds: 3 });
  slices.advance(0);
  for (let id = 0; id < 3; id += 1) slices.add();
  assert.deepEqual(begun, [2]);
  for (let id = 0; id < 3; id += 1) slices.move(1);
  slices.add();
  assert.deepEqual(begun, [2, 3]);
  assert.equal(slices.ids, 4);
});

test('a slice dies when its newest id is older than the window, and its ids with it', () => {
  const { slices } = open();
  slices.advance(0);
  slices.add();
  slices.advance(50);
  slices.advance(100);
  slices.add();
  slices.expire(1_650);
  assert.deepEqual([slices.alive[1], slices.alive[2], slices.ids], [1, 1, 2]);
  slices.expire(1_651);
  assert.deepEqual([slices.alive[1], slices.alive[2], slices.ids], [0, 1, 1]);
  // Also the only one.
  slices.expire(1_701);
  assert.deepEqual([slices.alive[2], slices.ids], [0, 0]);
});

test('at most 64 are alive at once: then the last takes what comes', () => {
  const { slices, begun } = open();
  for (let ms = 0; ms < 100_000; ms += 100) slices.advance(ms);
  assert.equal(begun.length, 63);
  assert.equal(slices.current, 64);
});

test('numbers are 1 to 255, used in turn', () => {
  const { slices, begun } = open();
  for (let ms = 0; ms < 60_000; ms += 100) {
    slices.advance(ms);
    slices.add();
    slices.expire(ms);
  }
  assert.deepEqual(begun.slice(250, 260), [252, 253, 254, 255, 1, 2, 3, 4, 5, 6]);
  assert.ok(slices.ids <= 18, String(slices.ids));
  assert.equal(slices.alive[0], 0);
});

test('what is covered reaches back to the first record, a window at the most', () => {
  const { slices } = open();
  assert.equal(slices.coveredMs, 0);
  slices.advance(1_000);
  slices.advance(1_700);
  assert.equal(slices.coveredMs, 700);
  slices.advance(9_000);
  assert.equal(slices.coveredMs, 1_600);
});

test('cut short, they cover what came after the newest id of the oldest slice', () => {
  const { slices } = open();
  slices.advance(0);
  slices.advance(80);
  slices.add();
  slices.advance(200);
  slices.cutShort();
  assert.deepEqual([slices.coveredMs, slices.ids], [120, 0]);
  // With the only one all is forgotten.
  slices.cutShort();
  assert.equal(slices.coveredMs, 0);
});
