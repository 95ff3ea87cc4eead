import type { WireBody } from './private-api.ts';

/*
 * The primitive types of Kafka's protocol, as far as kafkajs lacks them: those of "flexible" requests
 * (KIP-482). A compact length is one more than the length, zero: none.
 */

export class WireWriter {
  readonly #parts: Buffer[] = [];

  boolean(value: boolean): void {
    this.#parts.push(Buffer.from([value ? 1 : 0]));
  }

  bytes(value: Buffer): void {
    this.#parts.push(value);
  }

  compactString(value: string): void {
    const bytes = Buffer.from(value);
    this.#unsigned(bytes.length + 1);
    this.#parts.push(bytes);
  }

  compactArray<T>(values: readonly T[] | null, write: (value: T) => void): void {
    this.#unsigned(values === null ? 0 : values.length + 1);
    for (const value of values ?? []) write(value);
  }

  /** No tagged fields. */
  tags(): void {
    this.#unsigned(0);
  }

  finish(): WireBody {
    const buffer = Buffer.concat(this.#parts);
    return { buf: buffer, buffer };
  }

  #unsigned(value: number): void {
    const bytes: number[] = [];
    let rest = value;
    while (rest > 0x7f) {
      bytes.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    bytes.push(rest);
    this.#parts.push(Buffer.from(bytes));
  }
}

/** Reads on from where it is. @throws {RangeError} past the end */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  boolean(): boolean {
    return this.#bytes.readInt8(this.#move(1)) !== 0;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#move(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#move(4));
  }

  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#move(8)));
  }

  /** A slice, no copy. */
  bytes(length: number): Buffer {
    const from = this.#move(length);
    return this.#bytes.subarray(from, from + length);
  }

  string(): string {
    return this.bytes(this.int16()).toString();
  }

  array<T>(read: () => T): T[] {
    return this.#times(this.int32(), read);
  }

  compactString(): string | null {
    const length = this.#unsigned() - 1;
    return length < 0 ? null : this.bytes(length).toString();
  }

  compactArray<T>(read: () => T): T[] {
    return this.#times(this.#unsigned() - 1, read);
  }

  /** Passes tagged fields over. */
  tags(): void {
    for (let left = this.#unsigned(); left > 0; left -= 1) {
      this.#unsigned();
      this.bytes(this.#unsigned());
    }
  }

  #times<T>(length: number, read: () => T): T[] {
    const values: T[] = [];
    for (let left = length; left > 0; left -= 1) values.push(read());
    return values;
  }

  #unsigned(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#move(1));
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a length of more than 32 bits');
  }

  #move(length: number): number {
    const from = this.#at;
    if (length < 0 || from + length > this.#bytes.length) throw new RangeError('answer ends early');
    this.#at += length;
    return from;
  }
}
