import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c, lz4Compress, snappyCompress } from '@platformatic/wasm-utils';

/** What a record batch holds, for `writeBatch`. */
export interface BatchContent {
  readonly baseOffset: number;
  readonly records: readonly RecordContent[];
  /** Compaction may leave a batch that reaches further than its records. @default the last record's */
  readonly lastOffset?: number;
  /** @default 0 */
  readonly baseTimeMs?: number;
  /** The broker set this time for all. */
  readonly appendedMs?: number;
  /** @default 'none' */
  readonly codec?: BatchCodec;
  /** In a transaction of this producer. */
  readonly producerId?: number;
  /** The batch is the end of the producer's transaction. */
  readonly marker?: 'abort' | 'commit';
}

export interface RecordContent {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export type BatchCodec = keyof typeof codecs;

const codecs = {
  none: { id: 0, compress: (bytes: Buffer) => bytes },
  gzip: { id: 1, compress: (bytes: Buffer) => gzipSync(bytes) },
  snappy: { id: 2, compress: snappyCompress },
  xerial: { id: 2, compress: xerial },
  lz4: { id: 3, compress: lz4Compress },
  zstd: { id: 4, compress: (bytes: Buffer) => zstdCompressSync(bytes) },
} as const satisfies Record<string, { id: number; compress: (bytes: Buffer) => Buffer }>;

/**
 * A record batch as a broker keeps it (message format 2). Written from the specification, not from the
 * code that is tested with it: https://kafka.apache.org/documentation/#recordbatch
 */
export function writeBatch(content: BatchContent): Buffer {
  const { baseOffset, records, baseTimeMs = 0, appendedMs, producerId, marker } = content;
  const codec = codecs[content.codec ?? 'none'];
  const written = marker ? [markerRecord(baseOffset, marker)] : records;
  const lastOffset = content.lastOffset ?? written.at(-1)?.offset ?? baseOffset;
  const attributes =
    codec.id |
    (appendedMs === undefined ? 0 : 1 << 3) |
    (producerId === undefined ? 0 : 1 << 4) |
    (marker ? 1 << 5 : 0);
  const body = Buffer.concat([
    int16(attributes),
    int32(lastOffset - baseOffset),
    int64(baseTimeMs),
    int64(appendedMs ?? baseTimeMs),
    int64(producerId ?? -1),
    int16(0),
    int32(-1),
    int32(written.length),
    codec.compress(
      Buffer.concat(written.map((record) => writeRecord(record, baseOffset, baseTimeMs))),
    ),
  ]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(body));
  const rest = Buffer.concat([int32(0), Buffer.from([2]), crc, body]);
  return Buffer.concat([int64(baseOffset), int32(rest.length), rest]);
}

function markerRecord(offset: number, marker: 'abort' | 'commit'): RecordContent {
  const key = Buffer.concat([int16(0), int16(marker === 'abort' ? 0 : 1)]);
  return { offset, timestampMs: 0, key, value: Buffer.alloc(6) };
}

function writeRecord(record: RecordContent, baseOffset: number, baseTimeMs: number): Buffer {
  const headers = Object.entries(record.headers ?? {});
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(record.timestampMs - baseTimeMs),
    varint(record.offset - baseOffset),
    field(record.key),
    field(record.value),
    varint(headers.length),
    ...headers.flatMap(([name, value]) => [field(Buffer.from(name)), field(Buffer.from(value))]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function field(bytes: Buffer | null): Buffer {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

/** Zigzag, of up to 64 bits. */
function varint(value: number): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** The framing of Java's snappy-java, in blocks of 100 bytes. */
function xerial(bytes: Buffer): Buffer {
  const parts = [Buffer.from('\x82SNAPPY\0', 'latin1'), int32(1), int32(1)];
  for (let at = 0; at < bytes.length; at += 100) {
    const block = snappyCompress(bytes.subarray(at, at + 100));
    parts.push(int32(block.length), block);
  }
  return Buffer.concat(parts);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
