import type { PerMessageDeflateOptions } from 'ws';

/**
 * permessage-deflate as it is negotiated (RFC 7692): what a message is compressed with is forgotten after
 * it, in both directions, so that a message may be compressed once for many clients, and no connection
 * keeps a window. The window of the server's messages is the whole one of 32 KiB.
 */
export const negotiation: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  // What is sent through ws goes uncompressed: it would be compressed for each client by itself.
  threshold: Number.POSITIVE_INFINITY,
};

/**
 * Whether one of a client's offers can be accepted: one that leaves the server the whole window. The
 * others go without compression.
 *
 * @param extensions the header `Sec-WebSocket-Extensions`
 */
export function canCompress(extensions: string): boolean {
  return extensions.split(',').some((offer) => {
    const [name, ...parameters] = offer.split(';').map((part) => part.trim().toLowerCase());
    return (
      name === 'permessage-deflate' &&
      parameters.every((parameter) => {
        const bits = /^server_max_window_bits\s*=\s*"?(\d+)"?$/.exec(parameter)?.[1];
        return bits === undefined || Number(bits) === 15;
      })
    );
  });
}
