/**
 * Reads the primitive types of Kafka's protocol, one after the other, also those of "flexible" answers
 * (KIP-482). @throws {RangeError} past the end
 */
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

  /** `null` reads as empty. A slice, no copy. */
  compactBytes(): Buffer {
    return this.bytes(Math.max(0, this.#unsigned() - 1));
  }

  /** Passes tagged fields over, but for those that are read here. */
  tags(read?: (tag: number, field: WireReader) => void): void {
    for (let left = this.#unsigned(); left > 0; left -= 1) {
      const tag = this.#unsigned();
      const field = this.bytes(this.#unsigned());
      read?.(tag, new WireReader(field));
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
