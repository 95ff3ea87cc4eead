import { constants, deflateRawSync } from 'node:zlib';

/*
 * DEFLATE (RFC 1951) for messages whose beginnings differ and whose long ends are the same. A stream is a
 * row of blocks, and one that ends at a byte can be followed by any other: the beginning goes into stored
 * blocks, which cost no compression, and the end is compressed once for all.
 */

const maxStoredBytes = 0xffff;
const storedHeaderBytes = 5;

/** The bytes as they are, as blocks of a stream that goes on after them; none for no bytes. */
export function storedBlock(bytes: Buffer): Buffer {
  const blocks = Math.ceil(bytes.length / maxStoredBytes);
  const stored = Buffer.allocUnsafe(bytes.length + blocks * storedHeaderBytes);
  let at = 0;
  for (let from = 0; from < bytes.length; from += maxStoredBytes) {
    const length = Math.min(maxStoredBytes, bytes.length - from);
    // Not the last block, type 00, and filled up to the byte.
    at = stored.writeUInt8(0, at);
    at = stored.writeUInt16LE(length, at);
    at = stored.writeUInt16LE(length ^ 0xffff, at);
    at += bytes.copy(stored, at, from, from + length);
  }
  return stored;
}

/** What a flush puts at the end; permessage-deflate leaves it out (RFC 7692, section 7.2.1). */
const flushEnd = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/**
 * The bytes compressed, as the end of a message. It refers to nothing before it, so that it may follow
 * whatever stands in the message before, on any connection without context takeover.
 */
export function deflateShared(bytes: Buffer): Buffer {
  const deflated = deflateRawSync(bytes, {
    finishFlush: constants.Z_SYNC_FLUSH,
    // Of JSON events the better levels make a few hundredths less, in three times the time.
    level: constants.Z_BEST_SPEED,
  });
  const end = deflated.length - flushEnd.length;
  if (!deflated.subarray(end).equals(flushEnd)) throw new Error('a flush has another end');
  return deflated.subarray(0, end);
}
