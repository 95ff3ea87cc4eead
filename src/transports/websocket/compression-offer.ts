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

/** Which values the parameters of an offer may have; undefined: without one (RFC 7692, section 7.1). */
const acceptedValues: Readonly<Record<string, (value: string | undefined) => boolean>> = {
  server_no_context_takeover: (value) => value === undefined,
  client_no_context_takeover: (value) => value === undefined,
  // Any smaller one would have the server compress for this client by itself.
  server_max_window_bits: (value) => value === '15',
  client_max_window_bits: (value) => value === undefined || /^([89]|1[0-5])$/.test(value),
};

/**
 * The first of a client's offers that can be accepted; undefined: there is none, and the client goes
 * without compression. ws would refuse the connection for one bad offer, which is only to be declined.
 *
 * @param extensions the header `Sec-WebSocket-Extensions`
 */
export function acceptableOffer(extensions: string): string | undefined {
  return extensions.toLowerCase().split(',').find(isAcceptable)?.trim();
}

function isAcceptable(offer: string): boolean {
  const [extension, ...parameters] = offer.split(';').map((part) => part.trim());
  if (extension !== 'permessage-deflate') return false;
  const names = new Set<string>();
  for (const parameter of parameters) {
    const [, name = '', , value] = /^(\w+)(\s*=\s*"?(\d+)"?)?$/.exec(parameter) ?? [];
    // One that comes twice is as bad as one that is not known.
    if (names.has(name) || acceptedValues[name]?.(value) !== true) return false;
    names.add(name);
  }
  return true;
}
