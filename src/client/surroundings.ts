import { FeedError } from './feed-error.ts';

/** What a socket tells. */
export interface SocketListener {
  opened(): void;
  received(data: unknown): void;
  /** It is closed, or could not be opened. */
  closed(code: number, reason: string): void;
}

export interface Socket {
  send(text: string): void;
  close(): void;
}

/** What a client needs of where it runs. */
export interface Surroundings {
  /** Connects with the subprotocol of feeds. Throws if the address cannot be one. */
  open(url: string, listener: SocketListener): Socket;
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `fire` once. @returns stops it */
  schedule(delayMs: number, fire: () => void): () => void;
  /** In [0, 1). */
  random(): number;
  /** Calls `listener` whenever the network or the reader of the page is back, where that is told. @returns ends that */
  watchReturn(listener: () => void): () => void;
}

/** Of a browser, Node from 22, Deno or Bun. */
export const platform: Surroundings = {
  open(url, listener) {
    if (!('WebSocket' in globalThis)) {
      throw new FeedError('BAD_USER_INPUT', 'this runtime has no WebSocket: use Node 22 or later');
    }
    const socket = new WebSocket(url, 'millrace.v1');
    socket.addEventListener('open', () => listener.opened());
    socket.addEventListener('message', ({ data }) => listener.received(data));
    socket.addEventListener('close', ({ code, reason }) => listener.closed(code, reason));
    return socket;
  },
  now: () => Date.now(),
  schedule(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  watchReturn(listener) {
    // Only browsers tell.
    if (!('addEventListener' in globalThis)) return () => undefined;
    const looked = (): void => {
      if ('document' in globalThis && !Object(globalThis.document).hidden) listener();
    };
    globalThis.addEventListener('online', listener);
    globalThis.addEventListener('visibilitychange', looked);
    return () => {
      globalThis.removeEventListener('online', listener);
      globalThis.removeEventListener('visibilitychange', looked);
    };
  },
};
