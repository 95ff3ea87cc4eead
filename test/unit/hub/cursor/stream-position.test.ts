import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  beginning,
  deadLetterLane,
  earlierOf,
  hasReached,
  positionOf,
  resumePointOf,
  type StreamPosition,
} from '../../../../src/hub/cursor/stream-position.ts';

function at(time: number | null, next: number[], lowest = next): StreamPosition {
  if (time === null) return { key: null, next, lowest };
  const key = { time, value: time, id: [0, 0, 0, 0], partition: 0, offset: 0 } as const;
  return { key, next, lowest };
}

test('a position is reached in K and in every partition, or not', () => {
  assert.ok(hasReached(at(5, [3, 3]), at(5, [3, 3])));
  assert.ok(hasReached(at(6, [3, 4]), at(5, [3, 3])));
  assert.ok(!hasReached(at(4, [9, 9]), at(5, [3, 3])));
  assert.ok(!hasReached(at(6, [9, 2]), at(5, [3, 3])));
  assert.ok(hasReached(at(5, []), beginning));
  assert.ok(!hasReached(at(null, [9]), at(5, [3])));
});

test('a partition that is not known is one of which nothing has been read', () => {
  assert.ok(hasReached(at(5, [3]), at(5, [3, 0])));
  assert.ok(!hasReached(at(5, [3]), at(5, [3, 1])));
});

test('the earlier of two positions can reach both', () => {
  const [a, b] = [at(5, [3, 9]), at(7, [4, 2, 1])];
  const earlier = earlierOf(a, b, [1, 8]);
  assert.deepEqual([earlier.key?.time, earlier.next, earlier.lowest], [5, [3, 2], [1, 2]]);
  assert.ok(hasReached(a, earlier) && hasReached(b, earlier));
  assert.equal(earlierOf(a, beginning, []).key, null);
});

test('a position of a sequencer goes there and back', () => {
  const position = positionOf({
    key: null,
    next: new Map([
      [2, 7],
      [0, 5],
    ]),
    lowest: new Map([
      [0, 4],
      [2, 7],
    ]),
  });
  assert.deepEqual(position, { key: null, next: [5, 0, 7], lowest: [4, 0, 7], epochs: undefined });
  const { next, lowest } = resumePointOf(position);
  assert.deepEqual(
    [...next],
    [
      [0, 5],
      [1, 0],
      [2, 7],
    ],
  );
  assert.equal(lowest?.get(0), 4);
});

test('where nothing is held, R and V are one array', () => {
  const { next, lowest } = positionOf({
    key: null,
    next: new Map([[0, 5]]),
    lowest: new Map([[0, 5]]),
  });
  assert.equal(next, lowest);
});

test('the partitions of a topic and of its dead-letter topic do not meet', () => {
  const lanes = [0, 1, 2].flatMap((partition) => [
    deadLetterLane(partition, false),
    deadLetterLane(partition, true),
  ]);
  assert.deepEqual(lanes, [0, 1, 2, 3, 4, 5]);
});
