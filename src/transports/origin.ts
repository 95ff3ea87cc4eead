import type { IncomingMessage } from 'node:http';

/**
 * Whether a page of the request's origin may use this server. A request without an `Origin` does not
 * come from a page of another site; the server's own pages are of its own host. All others must be
 * listed, exactly as browsers write them.
 */
export function isAllowedOrigin(
  { headers }: IncomingMessage,
  allowedOrigins: readonly string[],
): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  if (allowedOrigins.includes(origin)) return true;
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

/**
 * Whether a page of another site makes a browser ask for this without saying who it is, as an image, a script
 * or a frame: no answer could be meant for it, and the credentials that the browser may know would go along.
 * A link that somebody follows is none of these. Browsers alone send the headers by which it is known.
 */
export function isEmbeddedElsewhere({ headers }: IncomingMessage): boolean {
  if (headers.origin !== undefined) return false;
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return mode === 'no-cors' || (mode === 'navigate' && destination !== 'document');
}
