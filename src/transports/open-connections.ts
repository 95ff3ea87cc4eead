import type { Clock, Timer } from '../core/clock.ts';
import type { TransportName } from './sent.ts';

/** A connection that lasts: a WebSocket, or a response that is a stream of events. */
export interface OpenConnection {
  readonly transport: TransportName;
  /** Whose it is; undefined: it has not been let in. */
  readonly projectId: string | undefined;
  /** Bytes that wait in memory for the client. */
  readonly backlogBytes: number;
  /** Sends what is due, tells the client to come back, and closes. */
  goAway(): void;
}

/** RFC 6455: the client is to connect again; `close-reason.ts` bounds what a reason may say. */
export const restarting = {
  code: 1012,
  reason: 'the server is restarting: connect again',
} as const;

/** Milliseconds that the end of a connection adds to the time in which all are ended. */
const paceMs = 10;
/** After how long a client is told to ask again, where the protocol has a word for it. */
const retry = { leastMs: 200, mostMs: 2_000 } as const;

export interface OpenConnectionsOptions {
  readonly clock: Clock;
  /** In [0, 1). @default Math.random */
  readonly random?: () => number;
  /** Told of each WebSocket that has closed. */
  readonly onClosed?: (transport: TransportName, code: number) => void;
}

/** All connections that last, so that a server that stops can let them go. */
export class OpenConnections implements Iterable<OpenConnection> {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onClosed: OpenConnectionsOptions['onClosed'];
  readonly #open = new Set<OpenConnection>();
  #whenEmpty: (() => void) | undefined;

  constructor({ clock, random = Math.random, onClosed }: OpenConnectionsOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#onClosed = onClosed;
  }

  [Symbol.iterator](): Iterator<OpenConnection> {
    return this.#open.values();
  }

  get size(): number {
    return this.#open.size;
  }

  add(connection: OpenConnection): void {
    this.#open.add(connection);
  }

  /** @param closeCode of a WebSocket */
  remove(connection: OpenConnection, closeCode?: number): void {
    this.#open.delete(connection);
    if (closeCode !== undefined) this.#onClosed?.(connection.transport, closeCode);
    if (this.#open.size === 0) this.#whenEmpty?.();
  }

  /**
   * Lets each go at a moment of its own, so that the clients do not come back elsewhere in one instant:
   * 10 ms for each, and all within `withinMs`. Resolves when all were told, or none is left.
   */
  async letGo(withinMs: number): Promise<void> {
    const spreadMs = Math.min(withinMs, this.#open.size * paceMs);
    const timers: Timer[] = [];
    for (const connection of this.#open) {
      timers.push(this.#clock.schedule(this.#random() * spreadMs, () => connection.goAway()));
    }
    await this.#untilEmpty(spreadMs);
    for (const timer of timers) timer.cancel();
    this.letAllGo();
  }

  /** At once. */
  letAllGo(): void {
    for (const connection of this.#open) connection.goAway();
  }

  /** Or until so many milliseconds have passed. */
  #untilEmpty(withinMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.schedule(withinMs, resolve);
    this.#whenEmpty = resolve;
    if (this.#open.size === 0) resolve();
    return promise.finally(() => {
      timer.cancel();
      this.#whenEmpty = undefined;
    });
  }

  /** Milliseconds, different each time. */
  pickRetryMs(): number {
    const { leastMs, mostMs } = retry;
    return Math.round(leastMs + this.#random() * (mostMs - leastMs));
  }
}
