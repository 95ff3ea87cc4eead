import { FeedError, type LostRange, type ServerCode } from './feed-error.ts';
import type { Socket, Surroundings } from './surroundings.ts';

/** How long a silent connection is believed in, in milliseconds. */
export interface Patience {
  /** From connecting to `ready`. @default 20_000 */
  readonly connectMs?: number;
  /** From one message to the next; the protocol promises one every 24 seconds. @default 30_000 */
  readonly silenceMs?: number;
}

export const patienceDefaults: Required<Patience> = { connectMs: 20_000, silenceMs: 30_000 };

/** What a connection tells. Nothing comes after `ended`. */
export interface ConnectionListener<Item> {
  ready(): void;
  /** @param size characters of its JSON */
  item(item: Item, size: number): void;
  /** How far the feed has come. @param isLive what is recorded now comes at once */
  progress(cursor: string, isLive: boolean): void;
  ended(error: FeedError): void;
}

export interface ConnectionOptions extends Required<Patience> {
  readonly url: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly parse: typeof JSON.parse;
  readonly surroundings: Surroundings;
}

interface ErrorMessage {
  readonly code: ServerCode;
  readonly message: string;
  readonly ranges?: readonly LostRange[];
  readonly argument?: string;
  readonly limit?: string;
}

/** One WebSocket, from connecting to its end. */
export class Connection<Item> {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener<Item>;
  readonly #socket: Socket;
  #isOver = false;
  #heardMs: number;
  #limitMs: number;
  #stopTimer: () => void;
  #error: ErrorMessage | undefined;

  constructor(options: ConnectionOptions, listener: ConnectionListener<Item>) {
    const { url, credentials, surroundings, connectMs } = options;
    this.#options = options;
    this.#listener = listener;
    this.#heardMs = surroundings.now();
    this.#limitMs = connectMs;
    this.#socket = surroundings.open(url, {
      opened: () => {
        if (!this.#isOver) this.#socket.send(JSON.stringify({ type: 'auth', ...credentials }));
      },
      received: (data) => {
        if (!this.#isOver) this.#receive(String(data));
      },
      closed: (code, reason) => this.#end(this.#reasonOf(code, reason)),
    });
    this.#stopTimer = surroundings.schedule(connectMs, () => this.#look());
  }

  /** Gives it up; nothing is told any more. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTimer();
    this.#socket.close();
  }

  #receive(text: string): void {
    this.#heardMs = this.#options.surroundings.now();
    try {
      this.#take(this.#options.parse(text), text.length);
    } catch (cause) {
      const message = `a message that cannot be understood: ${text.slice(0, 80)}`;
      this.#end(new FeedError('PROTOCOL_VIOLATED', message, { cause }));
    }
  }

  /** Messages of types that it does not know are those of later servers. */
  #take(message: ReturnType<typeof JSON.parse>, size: number): void {
    switch (message.type) {
      case 'ready':
        this.#limitMs = this.#options.silenceMs;
        this.#stopTimer();
        this.#look();
        this.#listener.ready();
        if (message.cursor !== undefined) this.#listener.progress(message.cursor, false);
        return;
      case 'event':
        return this.#listener.item(message.event, size);
      case 'deadLetter':
        return this.#listener.item(message.deadLetter, size);
      case 'progress':
        return this.#listener.progress(message.cursor, false);
      case 'live':
        return this.#listener.progress(message.cursor, true);
      case 'error':
        this.#error = message;
    }
  }

  /** Not set anew with each message, which would cost more than the message. */
  #look(): void {
    const { surroundings } = this.#options;
    const leftMs = this.#heardMs + this.#limitMs - surroundings.now();
    if (leftMs > 0) {
      this.#stopTimer = surroundings.schedule(leftMs, () => this.#look());
      return;
    }
    this.#end(new FeedError('CONNECTION_LOST', `nothing was heard for ${this.#limitMs} ms`));
  }

  #reasonOf(closeCode: number, reason: string): FeedError {
    const error = this.#error;
    if (error !== undefined) {
      return new FeedError(error.code, error.message, { ...error, closeCode });
    }
    const message = reason || `the connection was closed with ${closeCode}`;
    return new FeedError('CONNECTION_LOST', message, { closeCode });
  }

  #end(error: FeedError): void {
    if (this.#isOver) return;
    this.close();
    this.#listener.ended(error);
  }
}
