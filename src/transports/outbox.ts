import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** Bytes that a socket may not have taken yet before its writers wait. */
const highWaterBytes = 256 * 1024;

/** The sending side of a WebSocket: one write to the operating system for each batch of messages. */
export class Outbox {
  readonly #socket: WebSocket;
  readonly #stream: Duplex;
  /** Shared by all who wait, so that a socket with many subscriptions has one pair of listeners. */
  #draining: Promise<void> | undefined;

  constructor(socket: WebSocket, stream: Duplex) {
    this.#socket = socket;
    this.#stream = stream;
  }

  /** Sends one message; what is sent after the socket began to close is left out. */
  send(text: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(text);
  }

  /**
   * Sends messages in one write. Resolves when the socket can take more: at once, unless more than
   * 256 KiB wait, or when it has closed.
   */
  async sendAll(texts: Iterable<string>): Promise<void> {
    this.#stream.cork();
    try {
      for (const text of texts) this.send(text);
    } finally {
      this.#stream.uncork();
    }
    // Of a destroyed stream neither event would come.
    if (this.#stream.destroyed || this.#socket.bufferedAmount <= highWaterBytes) return;
    this.#draining ??= this.#drained();
    await this.#draining;
  }

  #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const settle = (): void => {
      this.#stream.off('drain', settle);
      this.#stream.off('close', settle);
      this.#draining = undefined;
      resolve();
    };
    this.#stream.on('drain', settle);
    this.#stream.on('close', settle);
    return promise;
  }
}
