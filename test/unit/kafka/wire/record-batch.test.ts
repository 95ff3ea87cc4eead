import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '@platformatic/wasm-utils';
import * as fc from 'fast-check';
import {
  AbortedTransactions,
  epochStarts,
  offsetBehind,
  readBatches,
  splitBatches,
} from '../../../../src/kafka/wire/record-batch.ts';
import type { BatchCodec, RecordContent } from '../../../support/record-batch.ts';
import { writeBatch } from '../../../support/record-batch.ts';

const none = (): AbortedTransactions => new AbortedTransactions([]);

const codecs: readonly BatchCodec[] = ['none', 'gzip', 'snappy', 'xerial', 'lz4', 'zstd'];

const bytes = fc.option(fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)));
const time = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
  fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }),
);
const content = fc.record({
  key: bytes,
  value: bytes,
  timestampMs: time,
  headers: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
  gap: fc.integer({ min: 1, max: 300 }),
});

test('what was written is read, whatever the codec and however it is cut into batches', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          codec: fc.constantFrom(...codecs),
          baseTimeMs: fc.integer({ min: 0, max: 2_000_000_000_000 }),
          records: fc.array(content, { maxLength: 20 }),
          hole: fc.nat(5),
        }),
        { maxLength: 5 },
      ),
      fc.nat(2 ** 40),
      fc.nat(400),
      (batches, base, skipped) => {
        const all: RecordContent[] = [];
        let next = base;
        const log = batches.map(({ codec, baseTimeMs, records, hole }) => {
          const baseOffset = next;
          const placed = records.map(({ gap, ...record }) => {
            next += gap;
            return { ...record, offset: next };
          });
          all.push(...placed);
          const lastOffset = next + hole;
          next = lastOffset + 1;
          return writeBatch({ baseOffset, lastOffset, baseTimeMs, codec, records: placed });
        });
        const position = base + skipped;
        const { records, unreadable } = readBatches(Buffer.concat(log), position, none());
        assert.deepEqual(unreadable, []);
        assert.deepEqual(
          records,
          all
            .filter(({ offset }) => offset >= position)
            .map(({ offset, timestampMs, key, value }) => ({ offset, timestampMs, key, value })),
        );
        assert.equal(offsetBehind(Buffer.concat(log), position), Math.max(position, next));
      },
    ),
  );
});

test('a batch that is cut off is left for the next answer', () => {
  const first = writeBatch({ baseOffset: 5, records: [record(5), record(6)] });
  const second = writeBatch({ baseOffset: 7, records: [record(7)] });
  const log = Buffer.concat([first, second]);
  for (let length = 0; length < log.length; length += 1) {
    const cut = log.subarray(0, length);
    const whole = length >= first.length;
    const { records, unreadable } = readBatches(cut, 5, none());
    assert.deepEqual(
      records.map(({ offset }) => offset),
      whole ? [5, 6] : [],
    );
    assert.deepEqual(unreadable, []);
    assert.equal(offsetBehind(cut, 5), whole ? 7 : 5);
  }
});

/** Offset, size, checksum, format, attributes, time, key, value: shorter than any batch of today. */
function messageOfOld(offset: number): Buffer {
  const message = Buffer.alloc(12 + 4 + 1 + 1 + 8 + 4 + 4 + 1, 0xff);
  message.writeBigInt64BE(BigInt(offset), 0);
  message.writeInt32BE(message.length - 12, 8);
  message.writeInt8(1, 16);
  return message;
}

test('messages of formats before Kafka 0.11 are told, one by one, and reading goes on behind them', () => {
  const records = [{ offset: 9, key: null, value: Buffer.from('new'), timestampMs: 1 }];
  const today = writeBatch({ baseOffset: 9, lastOffset: 9, baseTimeMs: 1, codec: 'none', records });
  const log = Buffer.concat([messageOfOld(7), messageOfOld(8), today]);
  assert.equal(offsetBehind(log.subarray(0, -today.length), 7), 9);
  const { unreadable, ...read } = readBatches(log, 7, none());
  assert.deepEqual(
    unreadable.map(({ from, to }) => [from, to]),
    [
      [7, 8],
      [8, 9],
    ],
  );
  assert.deepEqual(
    read.records.map(({ offset }) => offset),
    [9],
  );
  assert.deepEqual(epochStarts(log, 0), []);
});

test('reading goes on behind whatever is damaged, also the number of the format', () => {
  const value = Buffer.from('x');
  const records = [3, 4, 5].map((offset) => ({ offset, key: null, value, timestampMs: 1 }));
  const batch = writeBatch({ baseOffset: 3, lastOffset: 5, baseTimeMs: 1, codec: 'none', records });
  batch.writeInt8(0, 16);
  for (const position of [3, 4, 5]) {
    assert.ok(offsetBehind(batch, position) > position);
    assert.equal(readBatches(batch, position, none()).unreadable.length, 1);
  }
});

test('values are slices of the answer, not copies', () => {
  const log = writeBatch({ baseOffset: 0, records: [record(0)] });
  const [read] = readBatches(log, 0, none()).records;
  assert.equal(read?.value?.buffer, log.buffer);
});

test('the time that the broker set is that of every record of the batch', () => {
  const log = writeBatch({ baseOffset: 0, records: [record(0), record(1)], appendedMs: 77 });
  assert.deepEqual(
    readBatches(log, 0, none()).records.map(({ timestampMs }) => timestampMs),
    [77, 77],
  );
});

test('one flipped bit makes a batch unreadable, and only that one', () => {
  const before = writeBatch({ baseOffset: 0, records: [record(0)] });
  const damaged = writeBatch({ baseOffset: 1, lastOffset: 4, records: [record(1), record(3)] });
  const after = writeBatch({ baseOffset: 5, records: [record(5)] });
  // From the checksum on; what lies before it is beyond its care.
  for (let at = 17; at < damaged.length; at += 1) {
    // The last offset's delta says how far the damage reaches.
    if (at >= 23 && at < 27) continue;
    const bad = Buffer.from(damaged);
    bad[at] = (bad[at] ?? 0) ^ 1;
    const log = Buffer.concat([before, bad, after]);
    const { records, unreadable } = readBatches(log, 0, none());
    assert.deepEqual(
      records.map(({ offset }) => offset),
      [0, 5],
    );
    assert.deepEqual(unreadable, [{ from: 1, to: 5, reason: 'the checksum does not match' }]);
    assert.equal(readBatches(log, 3, none()).unreadable[0]?.from, 3);
    assert.deepEqual(readBatches(log, 5, none()).unreadable, []);
  }
});

test('content that cannot be decompressed is unreadable', () => {
  const good = writeBatch({ baseOffset: 9, records: [record(9)] });
  const plain = good.subarray(61);
  for (const codec of codecs.slice(1)) {
    // A right checksum over wrong content: as a producer wrote it.
    const named = writeBatch({ baseOffset: 9, records: [record(9)], codec });
    const log = rewritten(named, plain);
    const { records, unreadable } = readBatches(log, 0, none());
    assert.deepEqual(records, [], codec);
    assert.deepEqual(
      unreadable.map(({ from, to }) => [from, to]),
      [[9, 10]],
      codec,
    );
    assert.equal(offsetBehind(log, 0), 10);
  }
});

test('any bytes are survived', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
      const noise = Buffer.from(array);
      readBatches(noise, 0, none());
      assert.ok(offsetBehind(noise, 3) >= 3);
    }),
  );
});

test('records of aborted transactions and control records are holes', () => {
  const log = Buffer.concat([
    writeBatch({ baseOffset: 0, records: [record(0)], producerId: 1 }),
    writeBatch({ baseOffset: 1, records: [record(1)], producerId: 2 }),
    writeBatch({ baseOffset: 2, records: [], producerId: 1, marker: 'abort' }),
    writeBatch({ baseOffset: 3, records: [record(3)], producerId: 1 }),
    writeBatch({ baseOffset: 4, records: [record(4)] }),
    writeBatch({ baseOffset: 5, records: [], producerId: 2, marker: 'commit' }),
    writeBatch({ baseOffset: 6, records: [], producerId: 1, marker: 'commit' }),
  ]);
  const aborted = [{ producerId: 1, firstOffset: 0 }];
  const { records, unreadable } = readBatches(log, 0, new AbortedTransactions(aborted));
  assert.deepEqual(
    records.map(({ offset }) => offset),
    [1, 3, 4],
  );
  assert.deepEqual(unreadable, []);
  assert.equal(offsetBehind(log, 0), 7);
});

test('batches are cut into pieces between two of them, and what is cut off at the end stays with the last', () => {
  const size = fc.integer({ min: 0, max: 300 });
  fc.assert(
    fc.property(
      fc.array(size, { maxLength: 20 }),
      fc.nat(1_000),
      fc.nat(60),
      (sizes, most, tail) => {
        const batches = sizes.map((length, offset) =>
          writeBatch({
            baseOffset: offset,
            records: [{ ...record(offset), value: Buffer.alloc(length) }],
          }),
        );
        const log = Buffer.concat([...batches, Buffer.alloc(tail)]);
        const pieces = splitBatches(log, most);
        assert.deepEqual(Buffer.concat(pieces), log);
        const offsets = pieces.map((piece) =>
          readBatches(piece, 0, none()).records.map(({ offset }) => offset),
        );
        assert.deepEqual(offsets.flat(), [...sizes.keys()]);
        for (const [index, piece] of pieces.slice(0, -1).entries()) {
          assert.ok(piece.length <= most || offsets[index]?.length === 1);
        }
      },
    ),
  );
});

test('an abort counts for the pieces before it only', () => {
  const log = Buffer.concat([
    writeBatch({ baseOffset: 0, records: [record(0)], producerId: 1 }),
    writeBatch({ baseOffset: 1, records: [], producerId: 1, marker: 'abort' }),
    writeBatch({ baseOffset: 2, records: [record(2)], producerId: 1 }),
    writeBatch({ baseOffset: 3, records: [], producerId: 1, marker: 'commit' }),
  ]);
  const transactions = new AbortedTransactions([{ producerId: 1, firstOffset: 0 }]);
  const pieces = splitBatches(log, 1);
  assert.equal(pieces.length, 4);
  const records = pieces.flatMap((piece) => readBatches(piece, 0, transactions).records);
  assert.deepEqual(
    records.map(({ offset }) => offset),
    [2],
  );
});

test('an abort that reading begins at does not swallow the next transaction', () => {
  const log = Buffer.concat([
    writeBatch({ baseOffset: 2, records: [], producerId: 1, marker: 'abort' }),
    writeBatch({ baseOffset: 3, records: [record(3)], producerId: 1 }),
    writeBatch({ baseOffset: 4, records: [], producerId: 1, marker: 'commit' }),
  ]);
  const aborted = new AbortedTransactions([{ producerId: 1, firstOffset: 0 }]);
  const { records } = readBatches(log, 2, aborted);
  assert.deepEqual(
    records.map(({ offset }) => offset),
    [3],
  );
});

function record(offset: number): RecordContent {
  return { offset, timestampMs: 1_700_000_000_000, key: null, value: Buffer.from(`v${offset}`) };
}

/** The batch with other content behind its header, and length and checksum to match. */
function rewritten(batch: Buffer, body: Buffer): Buffer {
  const made = Buffer.concat([batch.subarray(0, 61), body]);
  made.writeInt32BE(made.length - 12, 8);
  made.writeUInt32BE(crc32c(made.subarray(21)), 17);
  return made;
}

/** With a checksum that does not match. */
function damaged(batch: Buffer): Buffer {
  const bad = Buffer.from(batch);
  bad.writeUInt32BE((bad.readUInt32BE(17) ^ 1) >>> 0, 17);
  return bad;
}

function offsetsOf({ records, unreadable }: ReturnType<typeof readBatches>) {
  return {
    read: records.map(({ offset }) => offset),
    told: unreadable.map(({ from }) => from),
  };
}

test('what follows a damaged end of an aborted transaction is told, not taken for a part of it', () => {
  const log = Buffer.concat([
    writeBatch({ baseOffset: 0, records: [record(0)], producerId: 1 }),
    damaged(writeBatch({ baseOffset: 1, records: [], producerId: 1, marker: 'abort' })),
    writeBatch({ baseOffset: 2, records: [record(2)], producerId: 1 }),
    writeBatch({ baseOffset: 3, records: [record(3)], producerId: 2 }),
    writeBatch({ baseOffset: 4, records: [], producerId: 1, marker: 'commit' }),
    writeBatch({ baseOffset: 5, records: [record(5)], producerId: 1 }),
  ]);
  const aborted = [{ producerId: 1, firstOffset: 0 }];
  const expected = { read: [3, 5], told: [1, 2] };
  assert.deepEqual(offsetsOf(readBatches(log, 0, new AbortedTransactions(aborted))), expected);
  // Also where reading begins at the damage.
  assert.deepEqual(offsetsOf(readBatches(log, 1, new AbortedTransactions(aborted))), expected);
});

test('damage within aborted transactions makes no doubt of those that begin behind it', () => {
  const log = Buffer.concat([
    writeBatch({ baseOffset: 0, records: [record(0)], producerId: 1 }),
    damaged(writeBatch({ baseOffset: 1, records: [record(1)], producerId: 1 })),
    writeBatch({ baseOffset: 2, records: [record(2)], producerId: 2 }),
    writeBatch({ baseOffset: 3, records: [record(3)], producerId: 1 }),
    writeBatch({ baseOffset: 4, records: [record(4)], producerId: 2 }),
    writeBatch({ baseOffset: 5, records: [], producerId: 1, marker: 'abort' }),
    writeBatch({ baseOffset: 6, records: [], producerId: 2, marker: 'abort' }),
    writeBatch({ baseOffset: 7, records: [record(7)], producerId: 1 }),
    writeBatch({ baseOffset: 8, records: [record(8)], producerId: 2 }),
  ]);
  const aborted = new AbortedTransactions([
    { producerId: 1, firstOffset: 0 },
    { producerId: 2, firstOffset: 2 },
  ]);
  assert.deepEqual(offsetsOf(readBatches(log, 0, aborted)), { read: [7, 8], told: [1, 3] });
});
