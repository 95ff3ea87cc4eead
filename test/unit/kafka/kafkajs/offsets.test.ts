import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../../../src/kafka/port.ts';
import { listOffsets } from '../../../../src/kafka/kafkajs/offsets.ts';

const topic = 'orders';

/** A cluster of one partition whose leaders are, look by look, these; only node 2 knows it. */
function clusterLedBy(...leaders: readonly (number | null)[]) {
  let looks = 0;
  return {
    get looks() {
      return looks;
    },
    async describe() {
      const leader = leaders[Math.min(looks, leaders.length - 1)] ?? null;
      looks += 1;
      const partitions = [{ id: 0, leader, leaderEpoch: 1 }];
      const answer = { errorCode: 0, name: topic, topicId: null, internal: false, partitions };
      return { clusterId: 'id', brokers: [], topics: [answer] };
    },
    async ask<Answer>(node: number): Promise<Answer> {
      const errorCode = node === 2 ? 0 : notLeader;
      const partitions = [{ partition: 0, errorCode, offset: '7' }];
      return JSON.parse(JSON.stringify({ responses: [{ topic, partitions }] }));
    },
  };
}

const notLeader = 6;

test('offsets are asked for again, of the new leader, while leaders change', async () => {
  const cluster = clusterLedBy(1, null, 2);
  const offsets = (await listOffsets(cluster, [topic], 'latest')).get(topic);
  assert.deepEqual(offsets, new Map([[0, 7]]));
  assert.equal(cluster.looks, 3);
});

test('after a few attempts the answer is that they cannot be told', async () => {
  const cluster = clusterLedBy(1);
  const answer = (await listOffsets(cluster, [topic], 'latest')).get(topic);
  assert.ok(answer instanceof KafkaError);
  assert.equal(answer.code, 'UNAVAILABLE');
  assert.equal(cluster.looks, 3);
});
