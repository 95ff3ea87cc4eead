import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { WireReader, WireWriter } from '../../../../src/kafka/kafkajs/wire.ts';

test('compact strings and arrays are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 300 }), { maxLength: 300 }), (texts) => {
      const writer = new WireWriter();
      writer.compactArray(texts, (text) => writer.compactString(text));
      writer.tags();
      writer.boolean(true);
      const reader = new WireReader(writer.finish().buffer);
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
  assert.deepEqual(writer.finish().buffer, Buffer.from([0, 1]));
  const reader = new WireReader(Buffer.from([0, 1]));
  assert.equal(reader.compactString(), null);
  assert.equal(reader.compactString(), '');
});

test('tagged fields of later versions are passed over', () => {
  const reader = new WireReader(Buffer.from([2, 0, 1, 0xaa, 0x85, 0x01, 2, 0xbb, 0xcc, 7, 0]));
  reader.tags();
  assert.equal(reader.int16(), 0x0700);
});

test('an answer that ends early is an error, not a wrong value', () => {
  assert.throws(() => new WireReader(Buffer.from([1])).int32(), RangeError);
  assert.throws(() => new WireReader(Buffer.from([9, 65])).compactString(), RangeError);
  assert.throws(() => new WireReader(Buffer.alloc(10, 0xff)).compactString(), RangeError);
});
