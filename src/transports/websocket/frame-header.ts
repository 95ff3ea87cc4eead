const fin = 0x80;
/** Says that the message is compressed (RFC 7692, section 6). */
const rsv1 = 0x40;
const text = 0x01;

/**
 * What stands before the payload of a text message in one frame, from a server, which does not mask
 * (RFC 6455, section 5.2).
 *
 * @param payloadBytes the length of the payload, compressed if it is
 */
export function frameHeader(payloadBytes: number, compressed: boolean): Buffer {
  const first = fin | text | (compressed ? rsv1 : 0);
  if (payloadBytes < 126) return Buffer.from([first, payloadBytes]);
  if (payloadBytes <= 0xffff) {
    return Buffer.from([first, 126, payloadBytes >>> 8, payloadBytes & 0xff]);
  }
  const header = Buffer.alloc(10);
  header[0] = first;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return header;
}
