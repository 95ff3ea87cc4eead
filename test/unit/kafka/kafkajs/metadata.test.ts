import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicsIn } from '../../../../src/kafka/kafkajs/metadata.ts';
import { KafkaError } from '../../../../src/kafka/port.ts';

function topicOf(name: string, internal: boolean) {
  const partitions = [{ id: 0, leader: 1, leaderEpoch: 0 }];
  return { errorCode: 0, name, topicId: null, internal, partitions };
}

test('internal topics are not there, as for the other driver', () => {
  const topics = [topicOf('purchases', false), topicOf('__consumer_offsets', true)];
  const answer = { clusterId: 'c', brokers: [], topics };
  const found = topicsIn(answer, ['purchases', '__consumer_offsets']);
  const internal = found.get('__consumer_offsets');
  assert.ok(internal instanceof KafkaError);
  assert.equal(internal.code, 'TOPIC_NOT_FOUND');
  assert.ok(!(found.get('purchases') instanceof KafkaError));
});
