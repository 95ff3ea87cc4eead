/** Text frames that differ by subscription in nothing but the operation's id. */
interface Template {
  readonly bytes: Buffer;
  /** Where the id stands, once for each frame. */
  readonly holes: readonly number[];
}

/**
 * The frames of one turn, made once for each length of an operation's id: what a subscription gets is
 * a copy with its own id in it.
 */
export class TurnFrames {
  readonly #head: string;
  readonly #tails: readonly Buffer[];
  readonly #templates = new Map<number, Template>();

  /** Each message is `head`, the id, and one of `tails`. */
  constructor(head: string, tails: readonly string[]) {
    this.#head = head;
    this.#tails = tails.map((tail) => Buffer.from(tail));
  }

  /** All messages for each of these ids, as a server's frames. */
  for(ids: readonly Buffer[]): Buffer {
    const size = ids.reduce((sum, id) => sum + this.#template(id.length).bytes.length, 0);
    const frames = Buffer.allocUnsafe(size);
    let at = 0;
    for (const id of ids) {
      const { bytes, holes } = this.#template(id.length);
      frames.set(bytes, at);
      for (const hole of holes) {
        // A loop: for so few bytes a call costs more than the copy.
        for (let index = 0; index < id.length; index += 1) {
          frames[at + hole + index] = id[index] ?? 0;
        }
      }
      at += bytes.length;
    }
    return frames;
  }

  #template(idLength: number): Template {
    const known = this.#templates.get(idLength);
    if (known) return known;
    const holes: number[] = [];
    const parts: Buffer[] = [];
    let at = 0;
    for (const tail of this.#tails) {
      const length = this.#head.length + idLength + tail.length;
      const header = frameHeader(length);
      holes.push(at + header.length + this.#head.length);
      parts.push(header, Buffer.from(this.#head), Buffer.alloc(idLength), tail);
      at += header.length + length;
    }
    const template = { bytes: Buffer.concat(parts), holes };
    this.#templates.set(idLength, template);
    return template;
  }
}

/** Of an unmasked text frame, RFC 6455, section 5.2. Not Millrace's: the floor does not move with it. */
function frameHeader(length: number): Buffer {
  if (length < 126) return Buffer.of(0x81, length);
  const header = Buffer.alloc(length < 65_536 ? 4 : 10);
  header[0] = 0x81;
  header[1] = length < 65_536 ? 126 : 127;
  if (header.length === 4) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}
