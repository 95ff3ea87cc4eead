/** Frames of RFC 6455, section 5.2, as a server sends them: whole messages, not masked. */

/** FIN, and the opcode of a text. */
const text = 0x81;

/** Bytes of the header of a frame with so many bytes of payload: 2, 4 or 10. */
export function headerLength(payloadLength: number): number {
  if (payloadLength < 126) return 2;
  return payloadLength < 65_536 ? 4 : 10;
}

/** Writes the header of a text frame. @returns where the payload begins */
export function writeTextHeader(target: Buffer, at: number, payloadLength: number): number {
  target[at] = text;
  if (payloadLength < 126) {
    target[at + 1] = payloadLength;
    return at + 2;
  }
  if (payloadLength < 65_536) {
    target[at + 1] = 126;
    return target.writeUInt16BE(payloadLength, at + 2);
  }
  target[at + 1] = 127;
  return target.writeBigUInt64BE(BigInt(payloadLength), at + 2);
}
