import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { AnswerRooms } from '../../../../src/kafka/kafkajs/answer-rooms.ts';

test('an answer stays as it is until the second one after it begins', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.constant(5_000_000)), {
    minLength: 2,
    maxLength: 12,
  });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const rooms = new AnswerRooms();
      let before: Buffer | undefined;
      for (const [index, length] of lengths.entries()) {
        const answer = rooms.take(length).fill(index);
        assert.equal(answer.length, length);
        if (before !== undefined) assert.ok(before.every((byte) => byte === index - 1));
        before = answer;
      }
    }),
    { numRuns: 30 },
  );
});

test('answers of some size take turns in two rooms, and small ones give them up', () => {
  const rooms = new AnswerRooms();
  const [first, second, third, fourth] = [900_000, 1_000_000, 1_000_000, 800_000].map(
    (bytes) => rooms.take(bytes).buffer,
  );
  assert.notEqual(second, first);
  assert.equal(third, first);
  assert.equal(fourth, second);
  rooms.take(100);
  rooms.take(100);
  const later = [rooms.take(1_000_000).buffer, rooms.take(1_000_000).buffer];
  assert.ok(later.every((buffer) => buffer !== first && buffer !== second));
});

test('a room that was made for a much larger answer is not kept', () => {
  const rooms = new AnswerRooms();
  const large = rooms.take(3_000_000).buffer;
  rooms.take(3_000_000);
  assert.notEqual(rooms.take(40_000).buffer, large);
});

test('a login that is renewed before the next answer leaves an answer as it is', () => {
  for (const answersOfLogin of [2, 3]) {
    const rooms = new AnswerRooms();
    rooms.take(1_000_000).fill(0);
    const inHand = rooms.take(1_000_000).fill(1);
    for (let small = 0; small < answersOfLogin; small += 1) rooms.take(100).fill(2);
    rooms.take(1_000_000).fill(3);
    assert.ok(inHand.every((byte) => byte === 1));
  }
});
