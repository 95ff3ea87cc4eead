import { Connection } from '../fanout/client/connection.ts';
import { feed } from '../fanout/client/feed.ts';
import { feedSse } from '../fanout/client/feed-sse.ts';
import { digits } from '../fanout/mark.ts';
import { idDigits } from './log.ts';

/** What stands before the digits of the id. */
const opening = Buffer.from('{"type":"event","event":{"id":"');
const cursorOpening = '"cursor":"';
const late = Buffer.from('"late":true,');

export interface FeedClientOptions {
  readonly port: number;
  /** Over SSE nobody asks a client that takes nothing whether it is there. @default ws */
  readonly over?: 'ws' | 'sse';
  /** Of the plain feed, without the question mark. */
  readonly query: string;
  readonly onEvent: (event: ReceivedEvent) => void;
}

/** Valid while it is handed over. */
export interface ReceivedEvent {
  readonly n: number;
  readonly isLate: boolean;
  readonly cursor: string;
}

/** A client of the plain feed that looks at nothing but ids, and at what else it is asked for. */
export class FeedClient {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Resolves when the subscription is accepted. What ends it later ends the bench. */
  static async open({ port, over = 'ws', query, onEvent }: FeedClientOptions): Promise<FeedClient> {
    const connection = await Connection.open(
      port,
      over === 'ws' ? feed : feedSse,
      (_, bytes, start, end) => onEvent(new Received(bytes, start, end)),
      (reason) => {
        throw new Error(`a client was refused: ${reason}`);
      },
    );
    const client = new FeedClient(connection);
    await connection.subscribe([
      { subscription: 0, query: '', feed: `/feeds/${topicName}?${query}` },
    ]);
    return client;
  }

  stall(): void {
    this.#connection.stall();
  }

  goOn(): void {
    this.#connection.goOn();
  }

  close(): void {
    this.#connection.close();
  }
}

/** The name of every topic of the bench but for its project. */
export const topicName = 'resume';

/** What is not asked for costs nothing. */
class Received implements ReceivedEvent {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  get n(): number {
    const at = this.#bytes.indexOf(opening, this.#start);
    return digits(this.#bytes, at + opening.length, idDigits);
  }

  get isLate(): boolean {
    // Of the rest of what was read there may be much.
    return this.#bytes.subarray(this.#start, this.#end).includes(late);
  }

  get cursor(): string {
    const from = this.#bytes.lastIndexOf(cursorOpening, this.#end) + cursorOpening.length;
    return this.#bytes.toString('latin1', from, this.#bytes.indexOf('"', from));
  }
}
