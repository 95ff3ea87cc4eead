/** The bytes are not what they should be: too few, or a number that is too large. */
export class MalformedBytesError extends Error {
  override readonly name = 'MalformedBytesError';
}

/** Reads what `ByteWriter` wrote. Every method throws `MalformedBytesError` rather than read past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #bits = 0;
  #pending = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new MalformedBytesError('too few bytes');
    return byte;
  }

  take(length: number): Uint8Array {
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new MalformedBytesError('too few bytes');
    return this.#bytes.subarray(from, this.#at);
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new MalformedBytesError('a number is too large');
      if (byte < 0x80) return value;
      // Zeros could follow for ever.
      if (scale > 2 ** 53) throw new MalformedBytesError('a number is too long');
    }
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  word(): number {
    return (this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte();
  }

  bits(width: number): number {
    if (width > 53) throw new MalformedBytesError('a number is too wide');
    let value = 0;
    let left = width;
    while (left > 0) {
      if (this.#pending === 0) {
        this.#bits = this.byte();
        this.#pending = 8;
      }
      const taken = Math.min(left, this.#pending);
      this.#pending -= taken;
      left -= taken;
      value = value * 2 ** taken + ((this.#bits >>> this.#pending) & (2 ** taken - 1));
    }
    return value;
  }

  endBits(): void {
    this.#pending = 0;
  }
}
