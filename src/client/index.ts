/**
 * `millrace/client`: the feeds of Millrace for browsers, Node, Deno and Bun. The guide is docs/client.md.
 *
 * @module
 */
export type { Backoff } from './backoff.ts';
export { type Client, type ClientOptions, createClient } from './client.ts';
export type { Patience } from './connection.ts';
export type { CredentialsOptions, TokenSource } from './credentials.ts';
export type { Feed } from './feed.ts';
export {
  type ClientCode,
  FeedError,
  type Loss,
  type LossCode,
  type LostRange,
  type ServerCode,
} from './feed-error.ts';
export type * from './types.ts';
