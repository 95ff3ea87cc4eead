import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watermark } from '../../../src/sequence/watermark.ts';

const options = { latenessMs: 2_000, maxAdvanceMs: 1_000, maxStallMs: 10_000 };
const start = 1_000_000;

function watermarkOf(partitions: number): Watermark {
  const watermark = new Watermark(options);
  for (let partition = 0; partition < partitions; partition++) watermark.add(partition, start);
  return watermark;
}

test('it is the least over the partitions of the greatest broker time, less the lateness', () => {
  const watermark = watermarkOf(2);
  watermark.recorded(0, start, start);
  watermark.recorded(1, start - 500, start);
  watermark.recorded(0, start - 900, start);
  assert.equal(watermark.currentMs(start), start - 2_500);
});

test('a partition that has not answered yet holds everything back', () => {
  const watermark = watermarkOf(2);
  watermark.recorded(0, start, start);
  assert.equal(watermark.currentMs(start), Number.NEGATIVE_INFINITY);
});

test('an answer from the end of an idle partition stands for the broker now', () => {
  const watermark = watermarkOf(2);
  watermark.recorded(0, start, start + 7);
  watermark.caughtUp(0, start + 100);
  watermark.caughtUp(1, start + 90);
  assert.equal(watermark.currentMs(start + 100), start + 90 - 7 - 2_000);
});

test('a clock that is ahead of the broker does not make time run ahead', () => {
  const watermark = watermarkOf(2);
  const aheadMs = 60_000;
  watermark.recorded(0, start, start + aheadMs + 5);
  watermark.caughtUp(1, start + aheadMs + 50);
  assert.equal(watermark.currentMs(start + aheadMs + 50), start - 2_000);
  watermark.caughtUp(0, start + aheadMs + 50);
  assert.equal(watermark.currentMs(start + aheadMs + 50), start + 45 - 2_000);
});

test('the skew follows a clock that is set, within two buckets', () => {
  const watermark = watermarkOf(1);
  for (let at = 0; at <= 200_000; at += 1_000) {
    const setForwardMs = at > 50_000 ? 5_000 : 0;
    watermark.recorded(0, start + at, start + at + setForwardMs + 3);
  }
  watermark.caughtUp(0, start + 206_000);
  assert.equal(watermark.currentMs(start + 206_000), start + 206_000 - 5_003 - 2_000);
});

test('a broker time from the future counts as now', () => {
  const watermark = watermarkOf(1);
  watermark.recorded(0, start + 1_001, start);
  assert.equal(watermark.currentMs(start), start - 2_000);
  watermark.recorded(0, start + 1_000, start);
  assert.equal(watermark.currentMs(start), start - 1_000);
});

test('a partition that stops answering is left out after the stall time, and not before', () => {
  const watermark = watermarkOf(2);
  watermark.recorded(1, start, start);
  for (let at = 0; at <= 10_000; at += 100) {
    watermark.recorded(0, start + at, start + at);
    assert.equal(watermark.currentMs(start + at), start - 2_000);
  }
  watermark.recorded(0, start + 10_100, start + 10_100);
  assert.equal(watermark.currentMs(start + 10_100), start + 8_100);
  assert.equal(watermark.reachedByAllMs(), start, 'copies are still expected from it');
  watermark.answered(1, start + 10_200);
  assert.equal(watermark.currentMs(start + 10_200), start - 2_000);
});

test('while all are silent nothing moves, and each gets its time again afterwards', () => {
  const watermark = watermarkOf(3);
  for (const partition of [0, 1, 2]) watermark.recorded(partition, start, start);
  assert.equal(watermark.currentMs(start + 60_000), Number.NEGATIVE_INFINITY);
  watermark.recorded(0, start + 59_000, start + 60_000);
  assert.equal(watermark.currentMs(start + 60_000), start - 2_000);
  for (let at = 61_000; at <= 70_000; at += 1_000) {
    watermark.recorded(1, start + 59_000, start + at);
    assert.equal(watermark.currentMs(start + at), start - 2_000);
  }
  watermark.recorded(0, start + 70_000, start + 70_001);
  assert.equal(watermark.currentMs(start + 70_001), start + 57_000);
});

test('the slowest partition is never ahead, and who is told to be ahead may be silent', () => {
  const watermark = watermarkOf(3);
  watermark.recorded(0, start, start);
  watermark.recorded(1, start + 500, start + 500);
  watermark.recorded(2, start + 900, start + 900);
  for (let at = 1_000; at <= 30_000; at += 1_000) {
    watermark.answered(0, start + at);
    assert.deepEqual(watermark.ahead(start + at), [1, 2]);
  }
  watermark.recorded(0, start + 800, start + 30_000);
  assert.deepEqual(watermark.ahead(start + 30_000), [0, 2]);
  assert.equal(watermark.currentMs(start + 30_000), start - 1_500, 'partition 1 was excused');
});

test('a partition can be added while it flows', () => {
  const watermark = watermarkOf(1);
  watermark.recorded(0, start, start);
  watermark.add(4, start);
  assert.equal(watermark.currentMs(start), Number.NEGATIVE_INFINITY);
  watermark.caughtUp(4, start + 10);
  watermark.caughtUp(0, start + 10);
  assert.equal(watermark.currentMs(start + 10), start + 10 - 2_000);
  assert.throws(() => watermark.recorded(3, start, start), RangeError);
});
