import { randomBytes } from 'node:crypto';

/** RFC 6455, section 5.2. */
export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

export interface Frame {
  readonly fin: boolean;
  /** The three reserved bits: 4 is RSV1. */
  readonly rsv: number;
  readonly opcode: number;
  readonly isMasked: boolean;
  readonly payload: Buffer;
}

/** A frame that a client sends, right or wrong. */
export interface SentFrame {
  /** @default text */
  readonly opcode?: number;
  /** @default empty */
  readonly payload?: string | Buffer;
  /** @default true */
  readonly fin?: boolean;
  /** @default 0 */
  readonly rsv?: number;
  /** @default true */
  readonly isMasked?: boolean;
}

export function encodeFrame(frame: SentFrame): Buffer {
  const { opcode = opcodes.text, fin = true, rsv = 0, isMasked = true } = frame;
  const payload = Buffer.from(frame.payload ?? '');
  const length = encodeLength(payload.length);
  length[0] = (length[0] ?? 0) | (isMasked ? 0x80 : 0);
  const first = Buffer.from([(fin ? 0x80 : 0) | (rsv << 4) | opcode]);
  if (!isMasked) return Buffer.concat([first, length, payload]);
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([first, length, mask, masked]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string | Buffer = ''): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return Buffer.concat([payload, Buffer.from(reason)]);
}

/** In as few bytes as it takes. */
function encodeLength(length: number): Buffer {
  if (length < 126) return Buffer.from([length]);
  if (length <= 0xffff) {
    const encoded = Buffer.from([126, 0, 0]);
    encoded.writeUInt16BE(length, 1);
    return encoded;
  }
  const encoded = Buffer.alloc(9);
  encoded.writeUInt8(127);
  encoded.writeBigUInt64BE(BigInt(length), 1);
  return encoded;
}
