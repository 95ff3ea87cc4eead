import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { lz4Decompress, snappyDecompress } from '@platformatic/wasm-utils';

/** What a batch may swell to, in bytes; more is not readable. Kafka's own limit is the compressed size. */
const maxOutputLength = 256 * 1024 * 1024;

/**
 * The records of a compressed batch.
 *
 * @param codec the lowest three bits of a batch's attributes
 * @throws if they are damaged or the codec is unknown
 */
export function decompress(codec: number, bytes: Buffer): Buffer {
  switch (codec) {
    case 1:
      return gunzipSync(bytes, { maxOutputLength });
    case 2:
      return decompressSnappy(bytes);
    case 3:
      return lz4Decompress(bytes);
    case 4:
      return zstdDecompressSync(bytes, { maxOutputLength });
    default:
      throw new Error(`unknown compression codec ${codec}`);
  }
}

/** Eight bytes, then two versions of four bytes each, then blocks: their length, their content. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const xerialHeaderBytes = 16;

/** Java's producers write Snappy in the framing of xerial's snappy-java, others the bare block. */
function decompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return snappyDecompress(bytes);
  const blocks: Buffer[] = [];
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new Error('a Snappy block ends early');
    blocks.push(snappyDecompress(bytes.subarray(at + 4, end)));
    at = end;
  }
  const [only] = blocks;
  return only && blocks.length === 1 ? only : Buffer.concat(blocks);
}
