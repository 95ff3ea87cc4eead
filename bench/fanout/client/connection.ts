import { connect, type Socket } from 'node:net';
import type { Asked, OpenWire, Wire } from './wire.ts';

/**
 * What every socket reads into: a read is over when its call-back returns, so that one buffer does for
 * all, and nothing is allocated for a read.
 */
const readBuffer = Buffer.allocUnsafe(256 * 1_024);

/** A result for a subscription, see `WireEvents`. */
export type OnMessage = (subscription: number, bytes: Buffer, start: number, end: number) => void;

/** One TCP connection to the server. */
export class Connection {
  readonly #socket: Socket;
  readonly #opened = Promise.withResolvers<void>();
  #wire: Wire | undefined;
  #asked = Promise.withResolvers<void>();
  #closing = false;

  /** Rejects when the server refuses it. `onRefused`: it, or a subscription, was refused or ended. */
  static async open(
    port: number,
    openWire: OpenWire,
    onMessage: OnMessage,
    onRefused: (reason: string) => void,
  ): Promise<Connection> {
    const connection = new Connection(port, openWire, onMessage, onRefused);
    await connection.#opened.promise;
    return connection;
  }

  private constructor(
    port: number,
    openWire: OpenWire,
    onMessage: OnMessage,
    onRefused: (reason: string) => void,
  ) {
    const refused = (reason: string): void => {
      if (this.#closing) return;
      this.#opened.reject(new Error(reason));
      this.#asked.reject(new Error(reason));
      onRefused(reason);
    };
    // Nobody may be waiting.
    this.#asked.promise.catch(() => undefined);
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.#wire?.take(readBuffer.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.once('connect', () => {
      this.#wire = openWire({
        write: (bytes) => this.#socket.write(bytes),
        opened: () => this.#opened.resolve(),
        asked: () => this.#asked.resolve(),
        message: onMessage,
        refused,
      });
    });
    this.#socket.once('error', (error) => refused(error.message));
    this.#socket.once('close', () => refused('the server closed the connection'));
  }

  /** Resolves when the server has taken note. Rejects when it refuses. */
  async subscribe(operations: readonly Asked[]): Promise<void> {
    this.#asked = Promise.withResolvers();
    this.#asked.promise.catch(() => undefined);
    this.#wire?.subscribe(operations);
    await this.#asked.promise;
  }

  /** Reads nothing more, and keeps the connection. */
  stall(): void {
    this.#socket.pause();
  }

  /** Reads again, after `stall`. */
  goOn(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }
}
