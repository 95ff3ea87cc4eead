import type { RawRecord } from '../port.ts';

/**
 * Reads the records of one batch, one after the other. This is the innermost loop of reading Kafka:
 * it makes the record, its two slices, and nothing else.
 */
export class RecordCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * The next record. Headers are passed over: nothing reads them.
   *
   * @param appendedMs the time of all records of the batch, if the broker set it
   * @throws {RangeError} past the end
   */
  record(baseOffset: number, baseTimeMs: number, appendedMs: number | null): RawRecord {
    const length = this.#varint();
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new RangeError('a record ends early');
    this.#at += 1; // attributes: none are defined
    const timestampMs = baseTimeMs + this.#varlong();
    const offset = baseOffset + this.#varint();
    const key = this.#slice(end);
    const value = this.#slice(end);
    this.#at = end;
    return { offset, timestampMs: appendedMs ?? timestampMs, key, value };
  }

  /** A slice, no copy; -1 stands for `null`. */
  #slice(recordEnd: number): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const from = this.#at;
    const to = from + length;
    if (to > recordEnd) throw new RangeError('a field is longer than its record');
    this.#at = to;
    return this.#bytes.subarray(from, to);
  }

  /** Zigzag, 32 bits. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new RangeError('not a number of 32 bits');
  }

  /** Zigzag, 64 bits; exact up to 2^53, which no time in milliseconds passes. */
  #varlong(): number {
    const first = this.#byte();
    let magnitude = (first & 0x7e) >> 1;
    let unit = 64;
    for (let byte = first; byte >= 0x80; unit *= 128) {
      if (unit > 2 ** 62) throw new RangeError('not a number of 64 bits');
      byte = this.#byte();
      magnitude += (byte & 0x7f) * unit;
    }
    return first & 1 ? -magnitude - 1 : magnitude;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('a number ends early');
    this.#at += 1;
    return byte;
  }
}
