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
