import type { WebSocket } from 'ws';
import type { Principal } from '../../auth/principal.ts';
import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import type { Subscriber } from '../../hub/subscriber.ts';
import type { Subscription } from '../../hub/subscription.ts';
import type { Outbox } from '../outbox.ts';
import type { GraphqlContext } from './context.ts';
import type { FrameKind, NextFrames } from './next-frames.ts';
import type { OperationIds } from './operation-ids.ts';

/** One client's socket. */
export interface SocketConnection {
  readonly socket: WebSocket;
  readonly outbox: Outbox;
  /** The client has negotiated compression. */
  readonly compresses: boolean;
  readonly ids: OperationIds;
  /**
   * Our ids of the operations that were begun and are not done. Not those that the client has not
   * completed: a query goes on after its client has lost interest.
   */
  readonly running: Set<string>;
  principal: Principal | undefined;
}

/** What a subscription needs to make its frames. */
export interface Framing {
  readonly frames: NextFrames;
  readonly context: () => GraphqlContext;
}

/**
 * A subscription's way to its client. It is also what graphql-ws iterates over: that yields no
 * results, and comes to its end with the subscription.
 */
export class Delivery implements Subscriber<Message>, AsyncIterableIterator<never> {
  readonly #connection: SocketConnection;
  readonly #operationId: string;
  readonly #subscription: Subscription<Message>;
  readonly #framing: Framing;
  /** The client's id of the operation, as JSON text. */
  readonly #mark: Buffer;
  readonly #kind: FrameKind;
  readonly #ended = Promise.withResolvers<IteratorResult<never>>();

  constructor(
    connection: SocketConnection,
    operationId: string,
    subscription: Subscription<Message>,
    framing: Framing,
  ) {
    this.#connection = connection;
    this.#operationId = operationId;
    this.#subscription = subscription;
    this.#framing = framing;
    this.#mark = Buffer.from(JSON.stringify(connection.ids.clientIdOf(operationId) ?? ''));
    this.#kind = { markLength: this.#mark.length, compresses: connection.compresses };
    // Nobody may be iterating yet, or any more.
    this.#ended.promise.catch(() => undefined);
    // Completed by the client while it was being set up: graphql-ws returns it at once.
    if (connection.ids.clientIdOf(operationId) !== undefined) subscription.attach(this);
  }

  get backlogBytes(): number {
    return this.#connection.outbox.backlogBytes;
  }

  deliver(parcel: Parcel): void {
    const { frames, context } = this.#framing;
    try {
      this.#connection.outbox.push(frames.of(parcel, this.#kind, context), this.#mark);
    } catch (error) {
      // What cannot be written cannot be left out either.
      this.#subscription.leave();
      this.end(asError(error));
    }
  }

  whenTaken(taken: () => void): void {
    this.#connection.outbox.whenTaken(taken);
  }

  end(error: Error | undefined): void {
    this.#connection.running.delete(this.#operationId);
    if (error === undefined) this.#ended.resolve({ done: true, value: undefined });
    else this.#ended.reject(error);
  }

  next(): Promise<IteratorResult<never>> {
    return this.#ended.promise;
  }

  return(): Promise<IteratorResult<never>> {
    this.#subscription.leave();
    this.end(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
