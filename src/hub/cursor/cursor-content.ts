import type { OrderKey } from '../../sequence/order-key.ts';
import { ByteReader, MalformedBytesError } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  type KeyForm,
  keyFormOf,
  type ValueForm,
  valueForms,
  readKey,
  writeKey,
} from './key-format.ts';
import type { LeaderEpochs } from './lanes.ts';
import { type Lanes, readLanes, writeLanes } from './offsets-format.ts';
import type { StreamPosition } from './stream-position.ts';
import { fingerprintBytes } from './topic-fingerprint.ts';

/** The format that is written, and the only one that is read: 0 to 7. */
const version = 1;

/** What a cursor says, without its MAC. */
export interface CursorContent {
  /** Topics that the stream reads: that of the events, or that and its dead-letter topic. */
  readonly topics: 1 | 2;
  readonly fingerprints: Uint8Array;
  readonly position: StreamPosition;
  readonly epochs: LeaderEpochs;
}

/** The first byte: version (3 bits), two topics (1), K is there (1), its time is a double (1), form of its value (2). */
export function writeFirstByte(
  writer: ByteWriter,
  topics: CursorContent['topics'],
  key: OrderKey | null,
): void {
  let byte = (version << 5) | ((topics - 1) << 4);
  if (key !== null) {
    const form = keyFormOf(key);
    byte |= 0b1000 | (form.timeIsSigned ? 0 : 0b100) | form.value;
  }
  writer.byte(byte);
}

/** What comes between the first byte and K: the same for many positions in a row. */
export function writeShared(writer: ByteWriter, fingerprints: Uint8Array, lanes: Lanes): void {
  writer.append(fingerprints);
  writeLanes(writer, lanes);
}

/** K, with which the content ends. */
export function writeLast(writer: ByteWriter, { key, next }: StreamPosition): void {
  if (key !== null) writeKey(writer, key, keyFormOf(key), next);
}

/** Whether the first byte says that it is of the version that is read here. */
export function isOfThisVersion(content: Uint8Array): boolean {
  return (content[0] ?? 0) >>> 5 === version;
}

/** @throws {MalformedBytesError} when it is not written as `CursorCodec` would have written it */
export function readContent(bytes: Uint8Array, topics: CursorContent['topics']): CursorContent {
  const reader = new ByteReader(bytes);
  const first = reader.byte();
  const fingerprints = reader.take(fingerprintBytes * topics);
  const { next, lowest, epochs } = readLanes(reader);
  const form = keyFormIn(first);
  const key = form === null ? null : readKey(reader, form, next);
  const content = { topics, fingerprints, position: { key, next, lowest }, epochs };
  // One position, one cursor: compared as a whole, no field needs rules of its own.
  if (!isWrittenSo(bytes, content)) throw new MalformedBytesError('not written as it should be');
  return content;
}

function isWrittenSo(bytes: Uint8Array, content: CursorContent): boolean {
  const { topics, fingerprints, position, epochs } = content;
  const writer = new ByteWriter();
  writeFirstByte(writer, topics, position.key);
  writeShared(writer, fingerprints, { ...position, epochs });
  writeLast(writer, position);
  return Buffer.compare(writer.bytes, bytes) === 0;
}

function keyFormIn(first: number): KeyForm | null {
  if ((first & 0b1000) === 0) return null;
  return { timeIsSigned: (first & 0b100) === 0, value: valueFormIn(first) };
}

function valueFormIn(first: number): ValueForm {
  switch (first & 0b11) {
    case valueForms.difference:
      return valueForms.difference;
    case valueForms.double:
      return valueForms.double;
    case valueForms.bigint:
      return valueForms.bigint;
    default:
      throw new MalformedBytesError('no such form');
  }
}
