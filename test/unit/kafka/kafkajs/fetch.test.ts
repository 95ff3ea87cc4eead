import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchRequest } from '../../../../src/kafka/kafkajs/fetch.ts';
import type { FetchRequest } from '../../../../src/kafka/reader/brokers.ts';

const asked: FetchRequest = {
  topic: 'a',
  topicId: null,
  positions: [{ partition: 2, offset: 300, leaderEpoch: 4, readEpoch: 3 }],
  maxWaitMs: 500,
  throttledMs: 0,
  maxBytes: 1_000,
  partitionMaxBytes: 999,
};

test('a broker that can is told the epoch that was read', async () => {
  const { request } = fetchRequest({ maxVersion: () => 17 }, asked);
  assert.deepEqual([request.apiKey, request.apiVersion], [1, 12]);
  const { buffer } = await request.encode();
  // Source: https://kafka.apache.org/protocol#The_Messages_Fetch, version 12, behind the header's tags.
  const expected = [
    '00 ffffffff 000001f4 00000001 000003e8 01 00000000 ffffffff',
    '02 0261 02 00000002 00000004 000000000000012c 00000003 ffffffffffffffff 000003e7 00 00',
    '01 01 00',
  ];
  assert.equal(buffer.toString('hex'), expected.join('').replaceAll(' ', ''));
});

test('an older broker is asked as it can be, and one that is too old is refused', async () => {
  const { request } = fetchRequest({ maxVersion: () => 11 }, asked);
  assert.equal(request.apiVersion, 11);
  const { buffer } = await request.encode();
  assert.match(buffer.toString('hex'), /0000000200000004000000000000012c/);
  assert.throws(() => fetchRequest({ maxVersion: () => 10 }, asked), { code: 'UNAVAILABLE' });
});
