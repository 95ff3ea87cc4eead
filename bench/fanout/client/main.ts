/**
 * The load generator, a process of its own: raw sockets that ask by hand and look for marks in what
 * comes, so that it does not become what the bench measures. Its own processor time stands in each
 * line of the result (`clientCpu`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { answerCalls } from '../remote.ts';
import { Connection } from './connection.ts';
import { type Expected, type Received, Tally } from './tally.ts';
import type { Asked } from './wire.ts';
import { type Protocol, wires } from './wires.ts';

export interface Operation {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Path and parameters of the plain feed that delivers the same. @default there is none */
  readonly feed?: string;
}

export interface Subscribe {
  /** Taken in turn. */
  readonly operations: readonly Operation[];
  readonly subscriptions: number;
  /** Over which the subscriptions are dealt out in turn: so many, from this one. */
  readonly firstConnection: number;
  readonly connections: number;
}

export interface ClientCalls {
  /** So many more. Resolves when all may subscribe; rejects when one is refused. */
  open(protocol: Protocol, port: number, connections: number): Promise<void>;
  /** Numbers them from where the last call ended. Resolves when the server has taken note of all. */
  subscribe(request: Subscribe): Promise<void>;
  /** From now on this volley is counted, and no other. */
  expect(expected: Expected): void;
  /** What has come when it was complete, or after so many milliseconds. */
  received(withinMs: number): Promise<Received>;
  /** What the server refused since `open`, in its own words. */
  refusals(): string[];
  /** One connection is not read any more. */
  stall(connection: number): void;
  close(): void;
}

/** Connections under way at a time: a listening socket's queue is short. */
const wave = 50;
const refusalsKept = 10;

let connections: Connection[] = [];
let subscribed = 0;
let refused: string[] = [];
let tally = new Tally({ volley: -1, subscriptions: 0, deliveries: 0 });

const onMessage = (subscription: number, bytes: Buffer, start: number, end: number): void => {
  tally.take(subscription, bytes, start, end);
};
const onRefused = (reason: string): void => {
  if (refused.length < refusalsKept) refused.push(reason);
};

answerCalls<ClientCalls>({
  async open(protocol, port, count) {
    for (let left = count; left > 0; left -= wave) {
      const opened = Array.from({ length: Math.min(left, wave) }, () =>
        Connection.open(port, wires[protocol], onMessage, onRefused),
      );
      connections.push(...(await Promise.all(opened)));
    }
  },

  async subscribe({ operations, subscriptions, firstConnection, connections: over }) {
    const dealt = Array.from({ length: over }, (): Asked[] => []);
    for (let index = 0; index < subscriptions; index += 1) {
      const operation = operations[index % operations.length];
      if (operation) dealt[index % over]?.push({ ...operation, subscription: subscribed + index });
    }
    subscribed += subscriptions;
    for (let first = 0; first < over; first += wave) {
      const asking = dealt.slice(first, first + wave).map(async (asked, index) => {
        await connections[firstConnection + first + index]?.subscribe(asked);
      });
      await Promise.all(asking);
    }
  },

  expect(expected) {
    tally = new Tally(expected);
  },

  async received(withinMs) {
    const patience = new AbortController();
    const waited = sleep(withinMs, undefined, { signal: patience.signal });
    await Promise.race([tally.complete, waited.catch(() => undefined)]);
    patience.abort();
    return tally.received;
  },

  refusals: () => refused,

  stall(connection) {
    connections[connection]?.stall();
  },

  close() {
    for (const connection of connections) connection.close();
    connections = [];
    subscribed = 0;
    refused = [];
  },
});
