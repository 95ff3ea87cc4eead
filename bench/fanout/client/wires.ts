import { feed } from './feed.ts';
import { feedSse } from './feed-sse.ts';
import { graphqlSse } from './graphql-sse.ts';
import { graphqlWs } from './graphql-ws.ts';
import type { OpenWire } from './wire.ts';

export type Protocol = 'graphql-ws' | 'graphql-sse' | 'feed' | 'feed-sse';

export const wires: Readonly<Record<Protocol, OpenWire>> = {
  'graphql-ws': graphqlWs,
  'graphql-sse': graphqlSse,
  feed,
  'feed-sse': feedSse,
};
