import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** Bytes that a socket may not have taken yet before its writers wait. */
const highWaterBytes = 256 * 1024;

/** The sending side of a WebSocket: few writes to the operating system for many messages. */
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
   * Sends messages, as many in one write as the socket can take; each is asked for when it is about to
   * be sent, and none any more when the socket has closed. Resolves when the socket can take more: at
   * once, unless more than 256 KiB wait, or when it has closed.
   */
  async sendAll(texts: Iterable<string>): Promise<void> {
    this.#stream.cork();
    try {
      for (const text of texts) {
        this.send(text);
        if (this.#socket.bufferedAmount <= highWaterBytes) continue;
        // A write for what there is; the pings that came up meanwhile go before the rest.
        this.#stream.uncork();
        try {
          await this.#ready();
        } finally {
          this.#stream.cork();
        }
        if (this.#socket.readyState !== this.#socket.OPEN) return;
      }
    } finally {
      this.#stream.uncork();
    }
  }

  async #ready(): Promise<void> {
    // The write may have been taken at once; and of a destroyed stream neither event would come.
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
