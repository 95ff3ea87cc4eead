import { FeedError } from './feed-error.ts';

/** Kafka's own limit, in characters. */
const maxLength = 249;

/**
 * Why there is no feed of a topic with this name; undefined: there may be one. To be asked before the server is: the
 * address of such a feed is that of another one, or of none, and a refused handshake says nothing.
 */
export function refusalOf(topic: string): FeedError | undefined {
  if (!/^\.{0,2}$/.test(topic) && Array.from(topic).length <= maxLength) return undefined;
  const message = `a topic has a name of 1 to ${maxLength} characters, and neither "." nor ".."`;
  return new FeedError('BAD_USER_INPUT', message, { argument: 'topic' });
}
