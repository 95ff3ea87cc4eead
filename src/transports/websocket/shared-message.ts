import { deflateShared, storedBlock } from './deflate.ts';
import { frameHeader } from './frame-header.ts';

/** Ends with fewer bytes are not compressed: the work would be more than what it saves. */
const minCompressedBytes = 256;

/**
 * The end that the messages to many clients have in common, encoded once and, when the first client wants
 * it compressed, compressed once. What a client's message begins with is its own.
 */
export class SharedMessage {
  readonly #plain: Buffer;
  /** `null`: compressed it would not be smaller. */
  #deflated: Buffer | null | undefined;

  /** @param end text that begins with a whole character, as it is or in UTF-8 */
  constructor(end: string | Buffer) {
    this.#plain = Buffer.from(end);
  }

  /** Bytes of the end, not compressed. */
  get bytes(): number {
    return this.#plain.length;
  }

  /**
   * A client's message as one frame, in parts to be written one after the other. The last part is the
   * same buffer for all clients: it must not be changed.
   *
   * @param beginning what the message begins with; the first part ends with it, as it is
   * @param compresses whether permessage-deflate was negotiated with the client, without context
   *   takeover of the server and with its whole window. The frame may be uncompressed all the same.
   */
  frame(beginning: string | Buffer, compresses: boolean): readonly [Buffer, Buffer] {
    const start = Buffer.from(beginning);
    const deflated = compresses ? this.#compressed() : null;
    if (deflated === null) {
      const header = frameHeader(start.length + this.#plain.length, false);
      return [Buffer.concat([header, start]), this.#plain];
    }
    const stored = storedBlock(start);
    const header = frameHeader(stored.length + deflated.length, true);
    return [Buffer.concat([header, stored]), deflated];
  }

  #compressed(): Buffer | null {
    if (this.#deflated === undefined) {
      const worthIt = this.#plain.length >= minCompressedBytes;
      const deflated = worthIt ? deflateShared(this.#plain) : this.#plain;
      this.#deflated = deflated.length < this.#plain.length ? deflated : null;
    }
    return this.#deflated;
  }
}
