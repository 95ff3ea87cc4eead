import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { lz4Decompress, snappyDecompress } from '@platformatic/wasm-utils';

/**
 * What a batch may swell to, in bytes; more is not readable. Brokers bound the compressed size only,
 * producers the other, to a megabyte unless they are told otherwise.
 */
const maxOutputLength = 64 * 1024 * 1024;

/**
 * The records of a compressed batch.
 *
 * @param codec the lowest three bits of a batch's attributes
 * @throws if they are damaged or swell to more than 64 MiB, or the codec is unknown
 */
export function decompress(codec: number, bytes: Buffer): Buffer {
  switch (codec) {
    case 1:
      return gunzipSync(bytes, { maxOutputLength });
    case 2:
      return decompressSnappy(bytes);
    case 3:
      assertFits(largestLz4Output(bytes));
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

function assertFits(outputBytes: number): void {
  if (outputBytes <= maxOutputLength) return;
  throw new RangeError(`a batch of ${outputBytes} bytes; at most ${maxOutputLength} are read`);
}

/** Java's producers write Snappy in the framing of xerial's snappy-java, others the bare block. */
function decompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return snappyBlock(bytes, 0);
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = xerialHeaderBytes; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new Error('a Snappy block ends early');
    const block = snappyBlock(bytes.subarray(at + 4, end), total);
    blocks.push(block);
    total += block.length;
    at = end;
  }
  const [only] = blocks;
  return only && blocks.length === 1 ? only : Buffer.concat(blocks);
}

/** @param before bytes that came out of the blocks before */
function snappyBlock(block: Buffer, before: number): Buffer {
  assertFits(before + snappyLength(block));
  return snappyDecompress(block);
}

/** What a Snappy block says first: the length of its content, 7 bits a byte, the lowest first. */
function snappyLength(block: Buffer): number {
  let length = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return length;
  }
  throw new Error('a Snappy block without its length');
}

const lz4Magic = 0x184d2204;
/** A match of LZ4 is 255 bytes longer with each further byte. */
const lz4MaxRatio = 255;

/**
 * The most that LZ4 frames can hold: what they say, or else as many full blocks as there are.
 * Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 *
 * @throws if there is something else than whole frames
 */
function largestLz4Output(bytes: Buffer): number {
  let largest = 0;
  for (let at = 0; at < bytes.length; ) {
    const frame = lz4Frame(bytes, at);
    largest += frame.largest;
    at = frame.end;
  }
  return largest;
}

/** @throws {RangeError} when it ends early */
function lz4Frame(bytes: Buffer, start: number): { largest: number; end: number } {
  if (bytes.readUInt32LE(start) !== lz4Magic) throw new Error('no LZ4 frame');
  const flags = bytes.readUInt8(start + 4);
  const [hasBlockChecksums, hasSize, hasChecksum, hasDictionary] = [0x10, 0x08, 0x04, 0x01].map(
    (flag) => (flags & flag) !== 0,
  );
  const maxBlockBytes = 2 ** (8 + 2 * ((bytes.readUInt8(start + 5) >> 4) & 7));
  const declared = hasSize ? Number(bytes.readBigUInt64LE(start + 6)) : Number.POSITIVE_INFINITY;
  let at = start + 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  let largest = 0;
  for (;;) {
    const header = bytes.readUInt32LE(at);
    at += 4;
    if (header === 0) break;
    const length = header & 0x7fffffff;
    largest += Math.min(length * lz4MaxRatio, maxBlockBytes);
    at += length + (hasBlockChecksums ? 4 : 0);
  }
  // What is declared is believed only where it says less than the blocks allow.
  return { largest: Math.min(largest, declared), end: at + (hasChecksum ? 4 : 0) };
}
