import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionError, topicError } from '../../../src/kafka/topic-errors.ts';

test('what a broker says of a topic', () => {
  const answers = [
    [3, 'TOPIC_NOT_FOUND'],
    [17, 'TOPIC_NOT_FOUND'],
    [100, 'TOPIC_NOT_FOUND'],
    [29, 'NOT_AUTHORIZED'],
    [31, 'NOT_AUTHORIZED'],
    ...[-1, 2, 5, 6, 9, 56, 74, 75, 78, 103, 999].map((code) => [code, 'UNAVAILABLE'] as const),
  ] as const;
  assert.equal(topicError('acme.orders', 0), null);
  for (const [code, expected] of answers) {
    assert.equal(topicError('acme.orders', code)?.code, expected, `error ${code}`);
  }
  assert.match(topicError('acme.orders', 6)?.message ?? '', /NOT_LEADER/);
  assert.match(topicError('acme.orders', 999)?.message ?? '', /999/);
});

test('a leader that does not know the topic is no proof that there is none', () => {
  assert.equal(partitionError('acme.orders', 0), null);
  assert.equal(partitionError('acme.orders', 3)?.code, 'UNAVAILABLE');
  assert.equal(partitionError('acme.orders', 100)?.code, 'UNAVAILABLE');
  assert.equal(partitionError('acme.orders', 29)?.code, 'NOT_AUTHORIZED');
});
