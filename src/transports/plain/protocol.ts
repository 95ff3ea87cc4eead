/*
 * The words of the plain feed's protocol. PROTOCOL.md says what they mean; its tables are held to these
 * by a test.
 */

export const subprotocol = 'millrace.v1';

/** What a feed holds. */
export type FeedKind = 'events' | 'deadLetters';

/** Every message, by its `type`. */
export const messageTable = {
  auth: {
    from: 'client',
    fields: '`projectId` and `key`, or `token`',
    meaning:
      'The credentials. Over WebSocket, without any in the handshake, the first and only message.',
  },
  ready: {
    from: 'server',
    fields: '`cursor`, if it is known and neither `after` nor `since` was given',
    meaning:
      'The subscription is accepted: what is recorded from now on is delivered. Sent once, first. The cursor is that of the beginning.',
  },
  event: { from: 'server', fields: '`event`', meaning: 'The next event of the feed.' },
  deadLetter: {
    from: 'server',
    fields: '`deadLetter`',
    meaning: 'The next dead letter of the feed.',
  },
  progress: {
    from: 'server',
    fields: '`cursor`',
    meaning:
      'How far the feed has come, where nothing else was sent: at least every 15 seconds. The cursor is as good as that of an event.',
  },
  live: {
    from: 'server',
    fields: '`cursor`',
    meaning:
      'The feed has come from the past to what is recorded now: with `after` or `since`, and again when a client was too slow and has caught up. The cursor is as good as that of an event.',
  },
  alive: {
    from: 'server',
    fields: '',
    meaning:
      'Over WebSocket: the connection is alive, where nothing else was sent for 12 to 24 seconds, for example while Kafka cannot be reached.',
  },
  error: {
    from: 'server',
    fields: '`code`, `message` and, with some codes, `argument`, `limit` or `ranges`',
    meaning: 'The feed ends, or was refused, for this reason. The last message.',
  },
} as const satisfies Record<string, MessageRow>;

interface MessageRow {
  readonly from: 'client' | 'server';
  /** Beside `type`. */
  readonly fields: string;
  readonly meaning: string;
}

export type MessageType = keyof typeof messageTable;

/** With what the server closes a WebSocket, and what a client does then. */
export const closeCodes = {
  1009: {
    meaning: 'A message of the client was larger than `limits.inboundFrameBytes`.',
    client: 'Correct the client.',
  },
  1012: {
    meaning: 'The server is being restarted, or stops and leaves its clients to others.',
    client: 'Connect again, after a moment of random length, and go on with `after`.',
  },
  1013: {
    meaning:
      '`LIMIT_EXCEEDED`, for example because the client took nothing for `limits.stallTimeout`, or `KAFKA_UNAVAILABLE`.',
    client: 'Connect again later.',
  },
  4400: {
    meaning: '`BAD_USER_INPUT`, `CURSOR_INVALID`, or a message that the protocol does not allow.',
    client: 'Correct what was sent.',
  },
  4403: {
    meaning:
      '`UNAUTHENTICATED` or `FORBIDDEN`, also when the key is revoked or the token expires later on.',
    client: 'Connect again with other credentials only.',
  },
  4404: { meaning: '`TOPIC_NOT_FOUND`.', client: 'Correct the topic.' },
  4406: {
    meaning: 'The client did not offer the subprotocol.',
    client: `Offer \`${subprotocol}\`.`,
  },
  4408: {
    meaning: 'The client was not authenticated within `limits.initTimeout`.',
    client: 'Send `auth` at once; connect again if it was sent.',
  },
  4410: {
    meaning: '`CURSOR_EXPIRED`, `TOPIC_RECREATED` or `LOG_TRUNCATED`.',
    client: 'Take note of what is lost, and start again.',
  },
  4500: { meaning: '`INTERNAL`.', client: 'Connect again later.' },
} as const satisfies Record<number, { readonly meaning: string; readonly client: string }>;

export type CloseCode = keyof typeof closeCodes;

/** The query parameters: the arguments of the GraphQL subscriptions, by their names, and a token. */
export const parameterTable = {
  order: {
    of: ['events'],
    form: '`ARRIVAL`, `TIMESTAMP` or `SEQUENCE`',
    meaning: 'The order of delivery. Default: the one that the topic is configured with.',
  },
  deduplicate: {
    of: ['events'],
    form: '`true` or `false`',
    meaning: 'Whether to leave out events whose id has been delivered. Default: `true`.',
  },
  where: {
    of: ['events'],
    form: 'JSON: a list of conditions',
    meaning:
      'Only events for which all conditions hold, see [filters](docs/filters.md). Default: all events.',
  },
  delivery: {
    of: ['events'],
    form: 'JSON: an object with `mode`, `by`, `everyMs`',
    meaning:
      'How many of them, see [delivery](docs/delivery.md): `{"mode":"LATEST","by":"user.id","everyMs":250}`. Default: `{"mode":"ALL"}`.',
  },
  after: {
    of: ['events', 'deadLetters'],
    form: 'a cursor',
    meaning:
      'Go on exactly after the message that had this cursor, on any server. Over SSE the header `Last-Event-ID` does the same, and comes before it.',
  },
  since: {
    of: ['events', 'deadLetters'],
    form: 'RFC 3339 text, at most 60 s ahead of the server’s clock',
    meaning:
      'Begin at the first record whose broker time is at or after this. Default: begin with `ready`.',
  },
  token: {
    of: ['events', 'deadLetters'],
    form: 'a token for a single use',
    meaning: 'The credentials, where they cannot be sent in another way.',
  },
} as const satisfies Record<string, ParameterRow>;

interface ParameterRow {
  /** Which kinds of feeds have it. */
  readonly of: readonly FeedKind[];
  readonly form: string;
  readonly meaning: string;
}

/** The parameters that a kind of feed has. */
export function parametersOf(kind: FeedKind): string[] {
  return Object.entries<ParameterRow>(parameterTable)
    .filter(([, { of }]) => of.includes(kind))
    .map(([name]) => name);
}
