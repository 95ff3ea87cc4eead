/** An operation of GraphQL, and the number of the subscription that it makes. */
export interface Asked {
  readonly subscription: number;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
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
