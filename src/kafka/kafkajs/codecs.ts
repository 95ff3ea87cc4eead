import { zstdCompressSync } from 'node:zlib';
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils';
import kafkajs from 'kafkajs';
import { decompress } from '../wire/decompress.ts';

interface KafkajsEncoder {
  readonly buffer: Buffer;
}

function codec(type: number, compress: (bytes: Buffer) => Buffer) {
  return () => ({
    compress: async ({ buffer }: KafkajsEncoder) => compress(buffer),
    decompress: async (bytes: Buffer) => decompress(type, bytes),
  });
}

/** Lets kafkajs producers and consumers use Snappy, LZ4 and Zstandard too. Idempotent. */
export function registerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  CompressionCodecs[CompressionTypes.Snappy] = codec(2, snappyCompress);
  CompressionCodecs[CompressionTypes.LZ4] = codec(3, lz4Compress);
  CompressionCodecs[CompressionTypes.ZSTD] = codec(4, (bytes) => zstdCompressSync(bytes));
}
