import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicIdOf, uuidOf } from '../../../../src/kafka/platformatic/topic-id.ts';

test("a topic's id is in the notation of Kafka's own tools, and back", () => {
  const uuid = 'f297507f-3a78-4151-ae13-9e36f7a09041';
  assert.equal(topicIdOf(uuid), '8pdQfzp4QVGuE54296CQQQ');
  assert.equal(uuidOf('8pdQfzp4QVGuE54296CQQQ'), uuid);
  assert.equal(topicIdOf('00000000-0000-0000-0000-000000000000'), null);
});
