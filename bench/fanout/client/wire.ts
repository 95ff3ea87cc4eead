/** An operation of GraphQL, and the number of the subscription that it makes. */
export interface Asked {
  readonly subscription: number;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly feed?: string;
}

/** One connection as its protocol sees it: another protocol is another of these, in `wires`. */
export interface Wire {
  /** What the server sent; may be used for the next read as soon as this returns. */
  take(bytes: Buffer): void;
  /** Once it is open. */
  subscribe(operations: readonly Asked[]): void;
}

/** What becomes of the connection. */
export interface WireEvents {
  write(bytes: Buffer | string): void;
  /** It may subscribe. */
  opened(): void;
  /** The server has taken note of what `subscribe` asked for. */
  asked(): void;
  /** A result for a subscription: `bytes` from `start` to before `end`, valid during the call. */
  message(subscription: number, bytes: Buffer, start: number, end: number): void;
  /** The server will not have the connection or one of its subscriptions. */
  refused(reason: string): void;
}

/** Called when the TCP connection stands. */
export type OpenWire = (events: WireEvents) => Wire;

export const login = { projectId: 'acme', key: 'acme-read' } as const;

export const authorization = `Basic ${Buffer.from(`${login.projectId}:${login.key}`).toString('base64')}`;

/** The one operation of a connection that can have no other. */
export function only([operation, another]: readonly Asked[]): Asked {
  if (operation === undefined || another !== undefined) {
    throw new Error('one subscription for each connection');
  }
  return operation;
}

/** The address of the plain feed that delivers what is asked for. */
export function feedOf({ feed }: Asked): string {
  if (feed === undefined) throw new Error('no plain feed delivers that');
  return feed;
}
