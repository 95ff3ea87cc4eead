import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { WireReader } from '../../../../src/kafka/wire/wire-reader.ts';
import { WireWriter } from '../../../../src/kafka/wire/wire-writer.ts';

test('compact strings and arrays are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 300 }), { maxLength: 300 }), (texts) => {
      const writer = new WireWriter();
      writer.compactArray(texts, (text) => writer.compactString(text));
      writer.tags();
      writer.boolean(true);
      const reader = new WireReader(writer.finish());
      assert.deepEqual(
        reader.compactArray(() => reader.compactString()),
        texts.map((text) => Buffer.from(text).toString()),
      );
      reader.tags();
      assert.equal(reader.boolean(), true);
    }),
  );
});

test('no array is not an empty one, nor no string an empty one', () => {
  const writer = new WireWriter();
  writer.compactArray(null, () => assert.fail('there is nothing to write'));
  writer.compactArray([], () => assert.fail('there is nothing to write'));
  assert.deepEqual(writer.finish(), Buffer.from([0, 1]));
  const reader = new WireReader(Buffer.from([0, 1]));
  assert.equal(reader.compactString(), null);
  assert.equal(reader.compactString(), '');
});

test('tagged fields of later versions are passed over', () => {
  const reader = new WireReader(Buffer.from([2, 0, 1, 0xaa, 0x85, 0x01, 2, 0xbb, 0xcc, 7, 0]));
  reader.tags();
  assert.equal(reader.int16(), 0x0700);
});

test('a tagged field that is known is read, whatever else it holds', () => {
  const reader = new WireReader(Buffer.from([2, 0, 2, 0xaa, 0xbb, 1, 3, 0, 7, 0xcc, 9, 9]));
  const read: number[] = [];
  reader.tags((tag, field) => {
    if (tag === 1) read.push(field.int16());
  });
  assert.deepEqual(read, [7]);
  assert.equal(reader.int16(), 0x0909);
});

test('numbers are read as they were written', () => {
  const writer = new WireWriter();
  writer.int8(-1);
  writer.int32(-(2 ** 31));
  writer.int64(2 ** 53 - 1);
  writer.int64(-1);
  const reader = new WireReader(writer.finish());
  assert.equal(reader.boolean(), true);
  assert.equal(reader.int32(), -(2 ** 31));
  assert.equal(reader.int64(), 2 ** 53 - 1);
  assert.equal(reader.int64(), -1);
});

test('an answer that ends early is an error, not a wrong value', () => {
  assert.throws(() => new WireReader(Buffer.from([1])).int32(), RangeError);
  assert.throws(() => new WireReader(Buffer.from([9, 65])).compactString(), RangeError);
  assert.throws(() => new WireReader(Buffer.alloc(10, 0xff)).compactString(), RangeError);
});
