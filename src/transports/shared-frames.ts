import type { Writable } from 'node:stream';
import type { FramesContent, WrittenFrames } from './sent.ts';

/**
 * Bytes for many sockets, made once. They may differ from client to client in a mark (the id of its
 * operation), always of the same length and in the same places.
 */
export class SharedFrames implements WrittenFrames {
  readonly length: number;
  /** What of it counts as sent. */
  readonly content: FramesContent | undefined;
  /** The bytes; at the places of the mark stands that of whoever came last. */
  #bytes: Buffer;
  readonly #places: readonly number[];
  /** A stream holds them, with a mark: whoever comes next gets a copy. */
  #isLent = false;
  #writes = 0;

  /**
   * @param places where the mark belongs
   * @param content what of it counts as sent; undefined: nothing
   */
  constructor(bytes: Buffer, places: readonly number[] = [], content?: FramesContent) {
    this.#bytes = bytes;
    this.#places = places;
    this.content = content;
    this.length = bytes.length;
  }

  takeWrites(): number {
    const writes = this.#writes;
    this.#writes = 0;
    return writes;
  }

  /** Copies all with this client's mark, to be written. @returns where the copy ends */
  copyTo(target: Buffer, at: number, mark: Buffer | undefined): number {
    this.#count();
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
    this.#count();
    if (this.#isLent) this.#bytes = Buffer.from(this.#bytes);
    this.#write(this.#bytes, 0, mark);
    const goOn = stream.write(this.#bytes);
    this.#isLent = this.#places.length > 0 && stream.writableLength > 0;
    return goOn;
  }

  /** One addition for each socket: see `Sent`. */
  #count(): void {
    if (this.content === undefined) return;
    this.#writes += 1;
    if (this.#writes === 1) this.content.sent.note(this);
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
