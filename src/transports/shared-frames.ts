import type { Writable } from 'node:stream';

/**
 * Bytes for many sockets, made once. They may differ from client to client in a mark (the id of its
 * operation), always of the same length and in the same places.
 */
export class SharedFrames {
  readonly length: number;
  /** The bytes; at the places of the mark stands that of whoever came last. */
  #bytes: Buffer;
  readonly #places: readonly number[];

  /** @param places where the mark belongs */
  constructor(bytes: Buffer, places: readonly number[] = []) {
    this.#bytes = bytes;
    this.#places = places;
    this.length = bytes.length;
  }

  /** Copies all with this client's mark. @returns where the copy ends */
  copyTo(target: Buffer, at: number, mark: Buffer | undefined): number {
    this.#bytes.copy(target, at);
    this.#write(target, at, mark);
    return at + this.length;
  }

  /**
   * Writes all with this client's mark, as a rule without a copy: the mark is put into the bytes that
   * all share, and a socket that takes all at once has no more to do with them. To one that does
   * not they are left, and the next client gets a copy.
   *
   * @returns false: the stream has enough for now
   */
  writeTo(stream: Writable, mark: Buffer | undefined): boolean {
    this.#write(this.#bytes, 0, mark);
    const goOn = stream.write(this.#bytes);
    if (this.#places.length > 0 && stream.writableLength > 0)
      this.#bytes = Buffer.from(this.#bytes);
    return goOn;
  }

  #write(bytes: Buffer, at: number, mark: Buffer | undefined): void {
    if (mark === undefined) return;
    const { length } = mark;
    for (const place of this.#places) {
      // A loop: for so few bytes a call costs more than the copy.
      for (let index = 0; index < length; index += 1) bytes[at + place + index] = mark[index] ?? 0;
    }
  }
}
