import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { maxPartBytes, partsOf, type Taken } from '../../../../src/kafka/reader/answer-parts.ts';
import { AbortedTransactions } from '../../../../src/kafka/wire/record-batch.ts';
import { writeBatch } from '../../../support/record-batch.ts';

/** @param sizes of the values of a batch each; none: there is nothing new */
function answer(partition: number, sizes: readonly number[]): Taken {
  const batches = Buffer.concat(
    sizes.map((length, offset) => {
      const record = { offset, timestampMs: 0, key: null, value: Buffer.alloc(length) };
      return writeBatch({ baseOffset: offset, records: [record] });
    }),
  );
  const fetched = {
    partition,
    errorCode: 0,
    lastStableOffset: sizes.length,
    logStartOffset: 0,
    divergesFrom: null,
    aborted: [],
    batches,
  };
  const transactions = new AbortedTransactions([]);
  const nextOffset = sizes.length;
  return { from: 0, nextOffset, epochs: [], fetched, transactions, hasMore: false };
}

const sizes = fc.array(fc.integer({ min: 0, max: maxPartBytes * 1.5 }), { maxLength: 5 });

test('a small answer is one part, as it came', () => {
  const taken = [answer(0, []), answer(1, [10, 10]), answer(2, [20])];
  assert.deepEqual(partsOf(taken, false), [taken]);
  assert.deepEqual(partsOf([], false), []);
});

test('of a large answer everything is handed over once, in order, what is empty last, and no part is larger than need be', () => {
  fc.assert(
    fc.property(
      fc.array(sizes, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (all, isSmallest) => {
        const parts = partsOf(
          all.map((one, partition) => answer(partition, one)),
          isSmallest,
        );
        for (const [partition, one] of all.entries()) {
          const pieces = parts.flat().filter(({ fetched }) => fetched.partition === partition);
          let next = 0;
          for (const { from, nextOffset } of pieces) {
            assert.equal(from, next);
            next = nextOffset;
          }
          assert.equal(next, one.length);
          assert.deepEqual(
            pieces.map(({ hasMore }) => hasMore),
            pieces.map((_, index) => index < pieces.length - 1),
          );
        }
        const isWhole = parts.length === 1;
        for (const part of parts) {
          const full = part.filter(({ from, nextOffset }) => nextOffset > from);
          assert.equal(new Set(part.map(({ fetched }) => fetched.partition)).size, part.length);
          if (!isWhole && part !== parts.at(-1)) assert.equal(full.length, part.length);
          if (isSmallest) assert.ok(full.length <= 1);
          const bytes = full.reduce((sum, { fetched }) => sum + fetched.batches.length, 0);
          const isOneBatch = full.length === 1 && full[0]?.nextOffset === (full[0]?.from ?? 0) + 1;
          assert.ok(bytes <= maxPartBytes || isOneBatch);
        }
      },
    ),
  );
});
