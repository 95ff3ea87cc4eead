/** The most that is appended at once to a group of bits. */
const chunkBits = 24;

/** Writes whole numbers into bytes that grow: varints, and groups of bits. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;
  #bits = 0;
  #pending = 0;

  /** What was written, until more is. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    // A loop: for a hundred bytes `set` costs more than they do.
    for (let at = 0; at < bytes.length; at++) this.#bytes[this.#length++] = bytes[at] ?? 0;
  }

  /** LEB128. @param value from 0 to 2^53 - 1 */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** Zigzag: small numbers of either sign are short. @param value at most 2^52 - 1 away from 0 */
  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  word(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.byte((value >>> shift) & 0xff);
  }

  /** Appends to the group of bits under way, highest bit first. @param width from 0 to 53 */
  bits(value: number, width: number): void {
    let rest = value;
    let left = width;
    while (left > chunkBits) {
      left -= chunkBits;
      const chunk = Math.floor(rest / 2 ** left);
      this.#chunk(chunk, chunkBits);
      rest -= chunk * 2 ** left;
    }
    this.#chunk(rest, left);
  }

  /** Ends the group of bits: zeros up to the next whole byte. */
  endBits(): void {
    if (this.#pending > 0) this.#chunk(0, 8 - this.#pending);
  }

  #chunk(value: number, width: number): void {
    this.#bits = (this.#bits << width) | value;
    this.#pending += width;
    while (this.#pending >= 8) {
      this.#pending -= 8;
      this.byte((this.#bits >>> this.#pending) & 0xff);
    }
  }

  #grow(by: number): void {
    const former = this.#bytes;
    this.#bytes = new Uint8Array(former.length * 2 + by);
    this.#bytes.set(former);
  }
}

/** Bits that a whole number from 0 to 2^53 - 1 takes. */
export function bitWidth(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / 2 ** 32));
}
