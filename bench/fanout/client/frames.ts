/** RFC 6455, section 5.2: what a client meets here. */
export const opcode = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** `bytes` from `start` to before `end`: a frame's payload, valid during the call. */
export type OnFrame = (opcode: number, bytes: Buffer, start: number, end: number) => void;

const nothing = Buffer.alloc(0);

/**
 * Cuts what a WebSocket server sends into frames, without copying those that lie whole in a read. Of a
 * server that neither masks, compresses nor fragments. @throws Error at a frame that is none of these
 */
export class FrameParser {
  readonly #onFrame: OnFrame;
  /** The beginning of a frame whose end has not come. */
  #rest: Buffer = nothing;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** `chunk` may be used for the next read as soon as this returns. */
  take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (true) {
      const start = payloadStart(bytes, at);
      if (start === -1) break;
      const end = start + payloadLength(bytes, at);
      if (end > bytes.length) break;
      const first = bytes[at] ?? 0;
      if ((first & 0xf0) !== 0x80) throw new Error(`a frame that begins with ${first}`);
      this.#onFrame(first & 0x0f, bytes, start, end);
      at = end;
    }
    this.#rest = at === bytes.length ? nothing : Buffer.from(bytes.subarray(at));
  }
}

/** Where the payload of the frame at `at` begins; -1: its header is not all there. */
function payloadStart(bytes: Buffer, at: number): number {
  const second = bytes[at + 1];
  if (second === undefined) return -1;
  if (second > 127) throw new Error('a masked frame of a server');
  const start = at + (second < 126 ? 2 : second === 126 ? 4 : 10);
  return start <= bytes.length ? start : -1;
}

function payloadLength(bytes: Buffer, at: number): number {
  const second = bytes[at + 1] ?? 0;
  if (second < 126) return second;
  if (second === 126) return bytes.readUInt16BE(at + 2);
  return bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6);
}

/** A frame as a client sends it. Masked, since it must be, with zeros, which change nothing. */
export function maskedFrame(code: number, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload);
  const size = body.length < 126 ? 2 : body.length < 65_536 ? 4 : 10;
  const frame = Buffer.alloc(size + 4 + body.length);
  frame[0] = 0x80 | code;
  frame[1] = 0x80 | (size === 2 ? body.length : size === 4 ? 126 : 127);
  if (size === 4) frame.writeUInt16BE(body.length, 2);
  if (size === 10) frame.writeBigUInt64BE(BigInt(body.length), 2);
  body.copy(frame, size + 4);
  return frame;
}
