import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFetchAnswer } from '../../../../src/kafka/wire/fetch-answer.ts';
import { WireReader } from '../../../../src/kafka/wire/wire-reader.ts';
import { WireWriter } from '../../../../src/kafka/wire/wire-writer.ts';

const batches = Buffer.from('as they lie in the log');
const healthy = {
  partition: 3,
  errorCode: 0,
  lastStableOffset: 40,
  logStartOffset: 7,
  divergesFrom: null,
  aborted: [{ producerId: 9, firstOffset: 20 }],
  batches,
};
const refused = {
  partition: 4,
  errorCode: 6,
  lastStableOffset: -1,
  logStartOffset: -1,
  divergesFrom: null,
  aborted: [],
  batches: Buffer.alloc(0),
};

for (const named of [true, false]) {
  test(`the error of one partition costs no other, topics ${named ? 'named' : 'by id'}`, () => {
    const body = new WireReader(compactAnswer({ named, tags: Buffer.from([0]) }));
    assert.deepEqual(decodeFetchAnswer(body, { compact: true, named }), {
      throttledMs: 25,
      errorCode: 0,
      partitions: [healthy, refused],
    });
  });
}

test('it tells where the log departs from the one that was read', () => {
  // One tagged field, number 0, of 13 bytes: an epoch, an offset, no tagged fields of its own.
  const tags = Buffer.from([1, 0, 13, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 33, 0]);
  const body = new WireReader(compactAnswer({ named: true, tags }));
  const { partitions } = decodeFetchAnswer(body, { compact: true, named: true });
  assert.equal(partitions[0]?.divergesFrom, 33);
  assert.equal(partitions[1]?.divergesFrom, null);
});

test('an answer of before tagged fields', () => {
  const body = Buffer.from(
    [
      '00000019 0000 00000000', // throttled, error, session
      '00000001 0001 61 00000001', // topics, the name, partitions
      '00000003 0000 000000000000002d ffffffffffffffff 0000000000000007',
      '00000001 0000000000000009 0000000000000014 ffffffff',
      '00000016',
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  );
  const answer = new WireReader(Buffer.concat([body, batches]));
  assert.deepEqual(decodeFetchAnswer(answer, { compact: false, named: true }), {
    throttledMs: 25,
    errorCode: 0,
    // Where no last stable offset is told, it is the high watermark.
    partitions: [{ ...healthy, lastStableOffset: 45 }],
  });
});

test('an answer that is cut off is an error', () => {
  const whole = compactAnswer({ named: true, tags: Buffer.from([0]) });
  for (let length = 0; length < whole.length; length += 1) {
    const body = new WireReader(whole.subarray(0, length));
    assert.throws(() => decodeFetchAnswer(body, { compact: true, named: true }), RangeError);
  }
});

/** @param tags of the first partition */
function compactAnswer({ named, tags }: { named: boolean; tags: Buffer }): Buffer {
  const body = new WireWriter();
  body.int32(25);
  body.bytes(Buffer.from([0, 0]));
  body.int32(0);
  body.compactArray(['a'], (topic) => {
    if (named) body.compactString(topic);
    else body.bytes(Buffer.alloc(16, 0xab));
    body.compactArray([healthy, refused], (partition) => {
      body.int32(partition.partition);
      body.bytes(Buffer.from([0, partition.errorCode]));
      body.int64(partition.lastStableOffset < 0 ? -1 : 45);
      body.int64(partition.lastStableOffset);
      body.int64(partition.logStartOffset);
      body.compactArray(partition.aborted, ({ producerId, firstOffset }) => {
        body.int64(producerId);
        body.int64(firstOffset);
        body.tags();
      });
      body.int32(-1);
      body.bytes(Buffer.from([partition.batches.length + 1]));
      body.bytes(partition.batches);
      if (partition === healthy) body.bytes(tags);
      else body.tags();
    });
    body.tags();
  });
  body.tags();
  return body.finish();
}
