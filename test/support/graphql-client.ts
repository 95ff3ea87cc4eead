import type { TestContext } from 'node:test';
import { type Client, createClient } from 'graphql-ws';
import { createClient as createSseClient } from 'graphql-sse';
import { WebSocket } from 'ws';

export interface Login {
  readonly projectId: string;
  readonly key: string;
}

export interface TokenLogin {
  readonly token: string;
}

export interface GraphqlResult {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** What a subscription brought so far, and what it ended with. */
export interface Received {
  readonly results: GraphqlResult[];
  /** Resolves when there are `count` results; rejects when it ends before. */
  atLeast(count: number): Promise<readonly GraphqlResult[]>;
  /** Resolves when it has ended: with what it failed with, or undefined. */
  readonly ended: Promise<unknown>;
  stop(): void;
}

export interface SubscribeOptions {
  readonly url: string;
  readonly login: Login | TokenLogin;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

/** The ways in which a client may subscribe; tests of what they share run over all. */
export const subscribers: Readonly<
  Record<'graphql-ws' | 'graphql-sse', (t: TestContext, options: SubscribeOptions) => Received>
> = {
  'graphql-ws': (t, { url, login, query, variables }) => {
    const client = webSocketClient(t, url, login);
    return collect(t, (sink) =>
      client.subscribe({ query, ...(variables ? { variables } : {}) }, sink),
    );
  },
  'graphql-sse': (t, { url, login, query, variables }) => {
    const client = createSseClient({
      url: `${url}/graphql`,
      headers: { authorization: authorizationOf(login) },
      retryAttempts: 0,
    });
    t.after(() => client.dispose());
    return collect(t, (sink) =>
      client.subscribe({ query, ...(variables ? { variables } : {}) }, sink),
    );
  },
};

export function basic({ projectId, key }: Login): string {
  return `Basic ${Buffer.from(`${projectId}:${key}`).toString('base64')}`;
}

export function authorizationOf(login: Login | TokenLogin): string {
  return 'token' in login ? `Bearer ${login.token}` : basic(login);
}

/** A graphql-ws client as its users have it, but for the retries. */
export function webSocketClient(t: TestContext, url: string, login: object): Client {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { ...login },
    retryAttempts: 0,
  });
  t.after(() => client.dispose());
  return client;
}

/** A query over HTTP POST; answers status and body. */
export async function query(
  url: string,
  login: Login | TokenLogin | undefined,
  text: string,
  variables: Record<string, unknown> = {},
): Promise<{ status: number; body: GraphqlResult }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(login ? { authorization: authorizationOf(login) } : {}),
    },
    body: JSON.stringify({ query: text, variables }),
  });
  const body: GraphqlResult = JSON.parse(await response.text());
  return { status: response.status, body };
}

interface Sink {
  next(result: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

/** An error or close event as text, for comparing and for messages. */
export function describe(error: unknown): string {
  // A close event has its code and reason as getters.
  const { code, reason, message } = Object(error);
  return JSON.stringify({ code, reason, message, error });
}

function collect(t: TestContext, subscribe: (sink: Sink) => () => void): Received {
  const results: GraphqlResult[] = [];
  const ended = Promise.withResolvers<unknown>();
  const waiting = new Set<{ count: number; resolve: () => void; reject: (error: Error) => void }>();
  const end = (error: unknown): void => {
    ended.resolve(error);
    const seen = `${results.length} results, ended with ${describe(error)}`;
    for (const { count, reject } of waiting) reject(new Error(`waited for ${count}: ${seen}`));
  };
  const stop = subscribe({
    next(result) {
      results.push(JSON.parse(JSON.stringify(result)));
      for (const waiter of waiting) if (results.length >= waiter.count) waiter.resolve();
    },
    error: end,
    complete: () => end(undefined),
  });
  t.after(stop);
  return {
    results,
    ended: ended.promise,
    stop,
    async atLeast(count) {
      if (results.length < count) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const waiter = { count, resolve, reject };
        waiting.add(waiter);
        await promise.finally(() => waiting.delete(waiter));
      }
      return results;
    },
  };
}
