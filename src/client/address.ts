import type { EventsOptions } from './types.ts';

export type Holds = 'events' | 'deadLetters';

/** What makes a feed another one; where it begins is not part of it. */
export type FeedOf = Pick<EventsOptions, 'where' | 'order' | 'deduplicate' | 'delivery'>;

/**
 * The address of a feed for a WebSocket.
 *
 * @param server of HTTP or WebSocket, with the path under which the server is found, if any; in a page it may
 *   be relative to the page
 * @throws {TypeError} if it is no address, or that of something on the server
 */
export function addressOf(
  server: string | URL,
  holds: Holds,
  topic: string,
  { where, order, deduplicate, delivery }: FeedOf,
): URL {
  const url = new URL(server, pageAddress());
  url.protocol = url.protocol.replace('http', 'ws');
  const path = url.pathname.replace(/\/$/, '');
  if (/\/(graphql|feeds)$/.test(path)) {
    throw new TypeError("url is the server's address, without /graphql or /feeds");
  }
  const kind = holds === 'events' ? '' : '/dead-letters';
  url.search = '';
  url.hash = '';
  url.pathname = `${path}/feeds/${encodeURIComponent(topic)}${kind}`;
  const given = { where, order, deduplicate, delivery };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    url.searchParams.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return url;
}

/** Of the page, if there is one: Deno has a `location` that is undefined. */
function pageAddress(): string | undefined {
  const location = 'location' in globalThis ? globalThis.location : undefined;
  return location === undefined ? undefined : String(location);
}
