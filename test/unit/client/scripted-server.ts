import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { Client, type ClientOptions } from '../../../src/client/client.ts';
import { platform } from '../../../src/client/surroundings.ts';
import type { FeedState } from '../../../src/client/types.ts';
import { manualSurroundings } from './manual-surroundings.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

/** One connection of a client, on the side of a server that does what the test says. */
export class Scripted {
  /** What the client asked for. */
  readonly url: URL;
  readonly #socket: WebSocket;
  /** Resolves with its first message. */
  readonly auth: Promise<Record<string, unknown>>;
  readonly closed: Promise<unknown>;

  constructor(socket: WebSocket, { url = '' }: IncomingMessage) {
    this.#socket = socket;
    this.url = new URL(url, 'ws://server');
    this.auth = new Promise((resolve) => {
      socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString())));
    });
    this.closed = once(socket, 'close');
  }

  send(...messages: readonly object[]): void {
    for (const message of messages) this.#socket.send(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  ready(cursor?: string): void {
    this.send({ type: 'ready', cursor });
  }

  /** Events whose ids and cursors are these. */
  events(...ids: readonly string[]): void {
    for (const id of ids) this.send({ type: 'event', event: { id, cursor: `after ${id}` } });
  }

  /** As a server that ends the feed. */
  fail(closeCode: number, code: string, more: object = {}): void {
    this.send({ type: 'error', code, message: `because of ${code}`, ...more });
    this.#socket.close(closeCode, `because of ${code}`);
  }

  close(code: number): void {
    this.#socket.close(code);
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.#socket.terminate();
  }
}

export interface Stage {
  readonly clock: ManualClock;
  readonly client: Client;
  /** Answers the client's next connection. */
  readonly connection: () => Promise<Scripted>;
  /** How often it has connected. */
  readonly connections: () => number;
  /** Tells the client that the network, or the reader, is there again. */
  readonly online: () => void;
}

/** A server that does what the test says, and a client of it on a clock that stands still. */
export async function setStage(
  t: TestContext,
  options: Partial<ClientOptions> = {},
  { random = 1 }: { random?: number } = {},
): Promise<Stage> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on no port');
  const accepted: Scripted[] = [];
  let [made, taken] = [0, 0];
  server.on('connection', (socket, request) => {
    made += 1;
    accepted.push(new Scripted(socket, request));
  });
  const clock = new ManualClock();
  const { surroundings, watching } = manualSurroundings(clock, random, (url, listener) =>
    platform.open(url, listener),
  );
  const given: ClientOptions = Object.assign(
    { projectId: 'acme', key: 'k', url: `http://127.0.0.1:${address.port}` },
    options,
  );
  const client = new Client(given, surroundings);
  t.after(() => {
    client.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return {
    clock,
    client,
    connections: () => made,
    async connection() {
      await until('a connection', () => accepted.length > taken);
      const connection = accepted[taken];
      if (connection === undefined) throw new Error('no connection');
      taken += 1;
      return connection;
    },
    online: () => {
      for (const listener of watching) listener();
    },
  };
}

/** Resolves when the feed is in a state. */
export async function stateIs<Name extends FeedState['name']>(
  feed: { readonly state: FeedState },
  name: Name,
): Promise<Extract<FeedState, { name: Name }>> {
  await until(`the state ${name}`, () => feed.state.name === name);
  const { state } = feed;
  if (!hasName(state, name)) throw new Error(`the state is ${state.name}`);
  return state;
}

function hasName<Name extends FeedState['name']>(
  state: FeedState,
  name: Name,
): state is Extract<FeedState, { name: Name }> {
  return state.name === name;
}

/** A storage that keeps what it is given. */
export function memoryStorage(): Storage & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    get length() {
      return kept.size;
    },
    key: () => null,
    clear: () => kept.clear(),
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
}
