import { Duplex } from 'node:stream';
import type { Message } from '../../src/hub/message.ts';
import { DeadLetterMessage, EventBatch, EventMessage } from '../../src/hub/message.ts';
import type { Parcel } from '../../src/hub/parcel.ts';
import type { Subscriber } from '../../src/hub/subscriber.ts';
import type { Subscription } from '../../src/hub/subscription.ts';
import { Outbox } from '../../src/transports/outbox.ts';
import { SharedFrames } from '../../src/transports/shared-frames.ts';
import { TurnEnd } from '../../src/transports/turn-end.ts';

/** One event as a client took it. */
export interface TakenEvent {
  readonly id: string;
  readonly late: boolean;
  readonly timestampUs: number;
}

/** What came in one message, with its cursor. */
export interface TakenMessage {
  readonly client: string;
  readonly events: readonly TakenEvent[];
  readonly cursor: string;
}

/** A connection with several subscriptions, whose other end takes what was sent when it is told to. */
export class SlowConnection {
  /** Takes at once what comes. */
  isFast = true;
  isCut = false;
  readonly #outbox: Outbox;
  readonly #subscriptions = new Set<{ leave(): void }>();
  readonly #taken: (message: TakenMessage) => void;
  #arrived: { readonly bytes: Buffer; readonly done: () => void } | undefined;

  constructor(maxQueuedBytes: number, taken: (message: TakenMessage) => void) {
    this.#taken = taken;
    const stream = new Duplex({
      writableHighWaterMark: 2_048,
      read: () => undefined,
      write: (bytes: Buffer, _, done) => {
        this.#arrived = { bytes, done: () => done() };
        if (this.isFast) this.take();
      },
    });
    const isOpen = (): boolean => !this.isCut;
    this.#outbox = new Outbox(
      {
        stream,
        get isOpen() {
          return isOpen();
        },
        onSlow: () => undefined,
      },
      { turnEnd: new TurnEnd(), maxQueuedBytes },
    );
  }

  get backlogBytes(): number {
    return this.#outbox.backlogBytes;
  }

  /** The client takes what has arrived; more may follow. */
  take(): void {
    const arrived = this.#arrived;
    if (arrived === undefined || this.isCut) return;
    this.#arrived = undefined;
    for (const line of arrived.bytes.toString().trimEnd().split('\n')) {
      this.#taken(JSON.parse(line));
    }
    setImmediate(arrived.done);
  }

  /** What has not been taken is gone. */
  cut(): void {
    this.isCut = true;
    for (const subscription of this.#subscriptions) subscription.leave();
  }

  /** @param ended called when the subscription is over for another reason than its client */
  add<Item extends Message>(
    client: string,
    subscription: Subscription<Item>,
    ended: (error: Error | undefined) => void,
  ): void {
    this.#subscriptions.add(subscription);
    const outbox = this.#outbox;
    const owner = {
      mark: undefined,
      lost: (before: Parcel['before']) => subscription.fellBehind(before),
    };
    const subscriber: Subscriber<Item> = {
      get backlogBytes() {
        return outbox.backlogBytes;
      },
      deliver: ({ items, before }) => {
        if (items.length === 0) return;
        const lines = items.map((item) => `${JSON.stringify(takenOf(client, item))}\n`).join('');
        const frames = new SharedFrames(Buffer.from(lines));
        if (this.#subscriptions.size === 1) outbox.send(frames, owner, before);
        else outbox.push(frames, owner, before);
      },
      whenTaken: (taken) => outbox.whenTaken(taken),
      end: ended,
    };
    subscription.attach(subscriber);
    if (this.isCut) subscription.leave();
  }
}

function takenOf(client: string, message: Message): TakenMessage {
  const { cursor } = message;
  if (message instanceof DeadLetterMessage) {
    const { event, offset } = message.deadLetter;
    return { client, events: [{ id: event, late: false, timestampUs: offset }], cursor };
  }
  const events =
    message instanceof EventBatch
      ? message.events
      : message instanceof EventMessage
        ? [message]
        : [];
  return {
    client,
    events: events.map(({ event, late }) => ({
      id: String(event.id),
      late,
      timestampUs: event.timestampUs,
    })),
    cursor,
  };
}
