import type { IdWords, OrderKey } from '../../sequence/order-key.ts';
import type { Offsets } from './lanes.ts';
import { type ByteReader, MalformedBytesError } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Safe differences: `signed` doubles them. */
const maxSigned = 2 ** 52 - 1;
/** Bytes of the largest sequence number: 38 digits (`exactInteger`) are 127 bits. */
const maxBigintBytes = 16;

/** How `OrderKey.value` is written: two bits of the first byte. */
export const valueForms = {
  /** As its difference to `time`, which is mostly 0 in TIMESTAMP order; in SEQUENCE order `time` is 0. */
  difference: 0,
  /** As a double: a time far beyond what dates can be. */
  double: 1,
  /** A sign and the bytes of a bigint. */
  bigint: 2,
} as const;

export type ValueForm = (typeof valueForms)[keyof typeof valueForms];

/** How the two numbers of a key are written. */
export interface KeyForm {
  /** False: as a double. */
  readonly timeIsSigned: boolean;
  readonly value: ValueForm;
}

export function keyFormOf({ time, value }: OrderKey): KeyForm {
  return { timeIsSigned: isShort(time), value: valueFormOf(time, value) };
}

function valueFormOf(time: number, value: number | bigint): ValueForm {
  if (typeof value === 'bigint') return valueForms.bigint;
  const isDifference = isShort(time) && isShort(value) && isShort(value - time);
  return isDifference ? valueForms.difference : valueForms.double;
}

function isShort(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= maxSigned;
}

/** @param next R, which the key's own offset is mostly just below */
export function writeKey(writer: ByteWriter, key: OrderKey, form: KeyForm, next: Offsets): void {
  if (form.timeIsSigned) writer.signed(key.time);
  else writeDouble(writer, key.time);
  if (typeof key.value === 'bigint') writeBigint(writer, key.value);
  else if (form.value === valueForms.difference) writer.signed(key.value - key.time);
  else writeDouble(writer, key.value);
  for (const word of key.id) writer.word(word);
  writer.varint(key.partition);
  writer.signed((next[key.partition] ?? 0) - 1 - key.offset);
}

export function readKey(reader: ByteReader, form: KeyForm, next: Offsets): OrderKey {
  const time = form.timeIsSigned ? reader.signed() : readDouble(reader);
  const value = readValue(reader, form, time);
  const id: IdWords = [reader.word(), reader.word(), reader.word(), reader.word()];
  const partition = reader.varint();
  const offset = (next[partition] ?? 0) - 1 - reader.signed();
  if (offset < 0) throw new MalformedBytesError('a negative offset');
  return { time, value, id, partition, offset };
}

function readValue(reader: ByteReader, form: KeyForm, time: number): number | bigint {
  switch (form.value) {
    case valueForms.difference:
      return time + reader.signed();
    case valueForms.double:
      return readDouble(reader);
    case valueForms.bigint:
      return readBigint(reader);
  }
}

function writeDouble(writer: ByteWriter, value: number): void {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  writer.append(new Uint8Array(view.buffer));
}

function readDouble(reader: ByteReader): number {
  const bytes = reader.take(8);
  const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  if (Number.isNaN(value)) throw new MalformedBytesError('not a number');
  return value;
}

function writeBigint(writer: ByteWriter, value: bigint): void {
  const bytes: number[] = [];
  for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 8n) {
    bytes.push(Number(rest & 0xffn));
  }
  writer.varint(bytes.length * 2 + (value < 0n ? 1 : 0));
  for (const byte of bytes) writer.byte(byte);
}

function readBigint(reader: ByteReader): bigint {
  const head = reader.varint();
  const length = Math.floor(head / 2);
  if (length > maxBigintBytes) throw new MalformedBytesError('a number is too long');
  let value = 0n;
  for (const byte of reader.take(length).toReversed()) value = (value << 8n) | BigInt(byte);
  return head % 2 === 1 ? -value : value;
}
