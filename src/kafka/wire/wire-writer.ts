/*
 * The primitive types of Kafka's protocol as "flexible" requests write them (KIP-482). A compact length
 * is one more than the length, zero: none.
 */

export class WireWriter {
  readonly #parts: Buffer[] = [];

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  int8(value: number): void {
    this.#parts.push(Buffer.from([value]));
  }

  int32(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    this.#parts.push(bytes);
  }

  int64(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(value));
    this.#parts.push(bytes);
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

  finish(): Buffer {
    return Buffer.concat(this.#parts);
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
