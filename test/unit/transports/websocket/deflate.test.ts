import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import * as fc from 'fast-check';
import { deflateShared, storedBlock } from '../../../../src/transports/websocket/deflate.ts';

/** As a receiver does it (RFC 7692, section 7.2.2), with an end put behind. */
function inflate(...parts: Buffer[]): Buffer {
  const flushed = Buffer.from([0x00, 0x00, 0xff, 0xff]);
  const emptyLastBlock = Buffer.from([0x01, 0x00, 0x00, 0xff, 0xff]);
  return inflateRawSync(Buffer.concat([...parts, flushed, emptyLastBlock]));
}

const bytes = fc.uint8Array({ maxLength: 2_000 }).map((array) => Buffer.from(array));

test('what is stored before what is deflated makes one stream with it', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), bytes, (parts, end) => {
      const encoded = parts.map(storedBlock);
      const plain = Buffer.concat([...parts, end]);
      assert.deepEqual(inflate(...encoded, deflateShared(end)), plain);
    }),
  );
});

for (const length of [0, 1, 65_534, 65_535, 65_536, 131_070, 131_071, 1_000_000]) {
  test(`${length} bytes are stored, and deflated`, () => {
    const plain = Buffer.from(Array.from({ length }, (_, index) => (index * index) & 0xff));
    const tail = Buffer.from('the end');
    assert.ok(
      inflate(storedBlock(plain), deflateShared(tail)).equals(Buffer.concat([plain, tail])),
    );
    assert.ok(
      inflate(storedBlock(tail), deflateShared(plain)).equals(Buffer.concat([tail, plain])),
    );
  });
}

test('nothing is stored for nothing', () => {
  assert.equal(storedBlock(Buffer.alloc(0)).length, 0);
});
