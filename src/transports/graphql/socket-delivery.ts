import type { GraphQLError } from 'graphql';
import type { StreamPosition } from '../../hub/cursor/stream-position.ts';
import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import type { Subscriber } from '../../hub/subscriber.ts';
import type { Subscription } from '../../hub/subscription.ts';
import type { NextFrames } from './next-frames.ts';
import type { Delivered, SocketConnection } from './socket-connection.ts';

/** The same for all deliveries. */
export interface SocketDeliverySettings {
  /** What resolvers get that depend on who asks. */
  readonly contextOf: (connection: SocketConnection) => unknown;
  /** What a client may see of an error. */
  readonly mask: (error: unknown) => GraphQLError;
}

/** A subscription's way to its client. */
export class SocketDelivery implements Subscriber<Message>, Delivered {
  readonly #connection: SocketConnection;
  readonly #subscription: Subscription<Message>;
  readonly #frames: NextFrames;
  readonly #settings: SocketDeliverySettings;
  /** The client's id of the operation, as JSON text. */
  readonly mark: Buffer;

  constructor(
    connection: SocketConnection,
    clientId: string,
    subscription: Subscription<Message>,
    frames: NextFrames,
    settings: SocketDeliverySettings,
  ) {
    this.#connection = connection;
    this.#subscription = subscription;
    this.#frames = frames;
    this.#settings = settings;
    this.mark = Buffer.from(JSON.stringify(clientId));
    connection.addDelivery(clientId, this);
  }

  /** Sends what has come up to now, and from now on what comes. */
  begin(): void {
    this.#subscription.attach(this);
  }

  get transport(): string {
    return this.#connection.transport;
  }

  get backlogBytes(): number {
    return this.#connection.outbox.backlogBytes;
  }

  deliver(parcel: Parcel): void {
    if (parcel.items.length === 0) return;
    try {
      const { outbox, isForOne } = this.#connection;
      let frames = this.#frames.known(parcel, this.mark.length, this);
      if (frames === undefined) {
        if (outbox.mustNotMake) return this.#wait(parcel);
        frames = this.#frames.make(parcel, this.mark.length, this);
        outbox.noteMade(frames);
      }
      if (isForOne) outbox.send(frames, this, parcel.before);
      else outbox.push(frames, this, parcel.before);
    } catch (error) {
      // What cannot be written cannot be left out either.
      this.leave();
      this.end(error);
    }
  }

  get compresses(): boolean {
    return this.#connection.compresses;
  }

  context(): unknown {
    return this.#settings.contextOf(this.#connection);
  }

  lost(before: StreamPosition): void {
    this.#subscription.fellBehind(before);
  }

  whenTaken(taken: () => void): void {
    this.#connection.outbox.whenTaken(taken);
  }

  end(error: unknown): void {
    const id = this.mark.toString();
    this.#connection.removeDelivery(JSON.parse(id));
    if (error === undefined) {
      this.#connection.write(`{"id":${id},"type":"complete"}`);
      return;
    }
    const errors = JSON.stringify([this.#settings.mask(error)]);
    this.#connection.write(`{"id":${id},"type":"error","payload":${errors}}`);
  }

  /** It goes on with this parcel when its project has a turn for it. */
  #wait({ before }: Parcel): void {
    this.#connection.onSlow();
    this.#subscription.fellBehind(before);
  }

  /** The client is not interested any more. */
  leave(): void {
    this.#subscription.leave();
  }
}
