import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils';
import { decompress } from '../../../../src/kafka/wire/decompress.ts';

const mebibyte = 2 ** 20;
const codecs = {
  gzip: [1, (bytes: Buffer) => gzipSync(bytes, { level: 1 })],
  snappy: [2, snappyCompress],
  lz4: [3, lz4Compress],
  zstd: [4, (bytes: Buffer) => zstdCompressSync(bytes)],
} as const;

for (const [name, [codec, compress]] of Object.entries(codecs)) {
  test(`${name}: a batch may swell to 64 MiB and no further`, () => {
    const most = Buffer.alloc(64 * mebibyte, 'x');
    assert.ok(decompress(codec, compress(most)).equals(most));
    const bomb = compress(Buffer.alloc(65 * mebibyte, 'x'));
    assert.throws(() => decompress(codec, bomb), RangeError);
  });

  test(`${name}: a batch of a byte is read`, () => {
    assert.equal(String(decompress(codec, compress(Buffer.from('x')))), 'x');
  });
}

test('snappy: what its length alone promises is refused before it is tried', () => {
  assert.throws(() => decompress(2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])), RangeError);
  assert.throws(() => decompress(2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x0f])), /length/);
});

test('snappy in the framing of Java: all blocks count together', () => {
  const header = Buffer.from('82534e415050590000000001 00000001'.replace(' ', ''), 'hex');
  const block = snappyCompress(Buffer.alloc(20 * mebibyte));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(block.length);
  const blocks = (count: number) =>
    Buffer.concat([header, ...Array.from({ length: count }, () => [length, block]).flat()]);
  assert.equal(decompress(2, blocks(3)).length, 60 * mebibyte);
  assert.throws(() => decompress(2, blocks(4)), RangeError);
});

test('lz4: a size that is declared too small does not open the door', () => {
  const frame = lz4Compress(Buffer.alloc(65 * mebibyte, 'x'));
  const [flags = 0, block = 0] = frame.subarray(4, 6);
  const size = Buffer.alloc(8, 0);
  size.writeUInt8(1);
  const body = frame.subarray((flags & 0x08) === 0 ? 7 : 15);
  const lying = Buffer.concat([
    frame.subarray(0, 4),
    Buffer.from([flags | 0x08, block]),
    size,
    Buffer.from([0]),
    body,
  ]);
  assert.throws(() => decompress(3, lying));
});
