import type { Clock } from '../core/clock.ts';
import type { Parcel } from '../hub/parcel.ts';

/** The ways in which subscriptions reach their clients. */
export const transportNames = ['graphql-ws', 'graphql-sse', 'feed-ws', 'feed-sse'] as const;
export type TransportName = (typeof transportNames)[number];

/** What shared frames hold, for whoever counts. */
export interface FramesContent {
  readonly sent: SentBy;
  readonly messages: number;
  /** The broker's times of what is delivered as it happens, in milliseconds since 1970. */
  readonly recordedAtMs: readonly number[];
}

/** Frames that were written. */
export interface WrittenFrames {
  readonly content: FramesContent | undefined;
  readonly length: number;
  /** How often they were written since this was asked last. */
  takeWrites(): number;
}

/** What a transport has sent since it was asked last. */
export class SentBy {
  readonly #sent: Sent;
  #messages = 0;
  #bytes = 0;

  constructor(sent: Sent) {
    this.#sent = sent;
  }

  /** The frames of a parcel, for whoever counts. */
  contentOf({ items, isOfPast }: Parcel): FramesContent {
    const recordedAtMs = isOfPast ? [] : items.flatMap((item) => item.recordedAtMs);
    return { sent: this, messages: items.length, recordedAtMs };
  }

  /** They are written for the first time since they were last asked for. */
  note(frames: WrittenFrames): void {
    this.#sent.note(frames);
  }

  add(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }

  take(): { readonly messages: number; readonly bytes: number } {
    const taken = { messages: this.#messages, bytes: this.#bytes };
    this.#messages = 0;
    this.#bytes = 0;
    return taken;
  }
}

/**
 * Counts what leaves on all sockets. A write costs an addition to the frames that all share; once in a
 * turn what was written in it is put together.
 */
export class Sent {
  readonly by: Readonly<Record<TransportName, SentBy>>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #onDelivered: (lagMs: number, deliveries: number) => void;
  #written: WrittenFrames[] = [];

  /** @param onDelivered told of what was delivered as it happened, how old it was and how often */
  constructor(
    clock: Pick<Clock, 'now'>,
    onDelivered: (lagMs: number, deliveries: number) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#onDelivered = onDelivered;
    this.by = {
      'graphql-ws': new SentBy(this),
      'graphql-sse': new SentBy(this),
      'feed-ws': new SentBy(this),
      'feed-sse': new SentBy(this),
    };
  }

  note(frames: WrittenFrames): void {
    if (this.#written.length === 0) setImmediate(() => this.#endTurn());
    this.#written.push(frames);
  }

  #endTurn(): void {
    const written = this.#written;
    this.#written = [];
    const nowMs = this.#clock.now();
    for (const frames of written) {
      const { content, length } = frames;
      if (content === undefined) continue;
      const writes = frames.takeWrites();
      const { sent, messages, recordedAtMs } = content;
      sent.add(messages * writes, length * writes);
      // The broker's clock may be ahead of ours.
      for (const atMs of recordedAtMs) this.#onDelivered(Math.max(0, nowMs - atMs), writes);
    }
  }
}
