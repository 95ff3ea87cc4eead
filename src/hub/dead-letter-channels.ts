import type { DeadLetter } from '../decode/event.ts';
import type { PartitionOffsets } from '../kafka/port.ts';
import { Channel } from './channel.ts';
import { beginning, deadLetterOffsets, type StreamPosition } from './cursor/stream-position.ts';
import type { Cursors } from './cursors.ts';
import { SingleGroup } from './group.ts';
import type { JoinPoint } from './join-point.ts';
import { DeadLetterMessage } from './message.ts';
import type { StreamSubscriber } from './stream.ts';
import type { Subscription } from './subscription.ts';
import type { Where } from './where.ts';

type DeadLetterChannel = Channel<DeadLetterMessage, DeadLetterMessage, null>;

export interface DeadLetterChannelsOptions {
  /** Whether this is the dead-letter topic, and not the topic itself. */
  readonly isOfDeadLetterTopic: boolean;
  /** Where reading of the other one stands; empty: it is not read. */
  readonly siblingNext: () => PartitionOffsets;
  readonly cursorsOf: (projectId: string) => Cursors;
  /** See `Parcel.isOfPast`. @default false */
  readonly isOfPast?: boolean;
}

interface Audience {
  readonly topic: string;
  readonly cursors: Cursors;
  readonly channel: DeadLetterChannel;
}

/** A feed's dead letters, by the project and the name that subscribers know the topic by. */
export class DeadLetterChannels {
  readonly #options: DeadLetterChannelsOptions;
  readonly #audiences = new Map<string, Audience>();
  /** Delivered to audiences that are no more. */
  #retired = 0;
  /** Where reading stands in the turn under way; made when somebody is told. */
  #next: Map<number, number> | undefined;
  #position: StreamPosition | undefined;

  constructor(options: DeadLetterChannelsOptions) {
    this.#options = options;
  }

  get subscribers(): number {
    let subscribers = 0;
    for (const { channel } of this.#audiences.values()) subscribers += channel.size;
    return subscribers;
  }

  get delivered(): number {
    let sum = this.#retired;
    for (const { channel } of this.#audiences.values()) sum += channel.delivered;
    return sum;
  }

  /** @returns the function that takes the subscription out again */
  add(
    subscription: Subscription<DeadLetterMessage>,
    subscriber: StreamSubscriber,
    {
      where,
      next,
      join,
    }: {
      readonly where: Where;
      readonly next: PartitionOffsets;
      readonly join: JoinPoint | undefined;
    },
  ): () => void {
    const key = JSON.stringify([subscriber.projectId, subscriber.topic]);
    const { channel } = this.#audiences.get(key) ?? this.#open(key, subscriber);
    channel.add(subscription, { where, shape: null }, { at: this.#positionAt(next), join });
    return () => {
      channel.remove(subscription);
      if (channel.size > 0 || this.#audiences.get(key)?.channel !== channel) return;
      this.#retired += channel.delivered;
      this.#audiences.delete(key);
    };
  }

  /** @param next where reading stood at the end of the last turn */
  accept(deadLetter: DeadLetter, next: PartitionOffsets): void {
    if (this.#audiences.size === 0) return;
    const { partition, offset, recordedAtMs } = deadLetter;
    this.#next ??= new Map(next);
    this.#next.set(partition, offset + 1);
    const position = this.#positionAt(this.#next);
    const source = { partition, offset, recordedAtMs, payload: undefined };
    for (const { topic, cursors, channel } of this.#audiences.values()) {
      const place = { position, encode: cursors.encode };
      channel.accept(new DeadLetterMessage(topic, deadLetter, place), source);
    }
  }

  /** @param next where reading stands */
  flush(next: PartitionOffsets): void {
    this.#next = undefined;
    if (this.#audiences.size === 0) return;
    const after = this.#positionAt(next);
    const turn = { before: this.#position ?? after, after };
    this.#position = after;
    for (const { channel } of this.#audiences.values()) channel.flush(turn, () => next);
  }

  /** Tells those how far reading has come who have heard nothing since this was called last. */
  progress(next: PartitionOffsets): void {
    const at = this.#positionAt(next);
    for (const { channel, cursors } of this.#audiences.values()) {
      channel.progress(at, cursors.encode);
    }
  }

  /** Ends every subscription, with `error` if there is one. */
  end(error: Error | undefined): void {
    const at = this.#position ?? beginning;
    for (const { channel } of this.#audiences.values()) channel.end(error, at);
  }

  #open(key: string, { projectId, topic }: StreamSubscriber): Audience {
    const audience: Audience = {
      topic,
      cursors: this.#options.cursorsOf(projectId),
      channel: new Channel(() => new SingleGroup<DeadLetterMessage>(this.#options.isOfPast)),
    };
    this.#audiences.set(key, audience);
    return audience;
  }

  #positionAt(next: PartitionOffsets): StreamPosition {
    const { isOfDeadLetterTopic, siblingNext } = this.#options;
    const offsets = isOfDeadLetterTopic
      ? deadLetterOffsets(siblingNext(), next)
      : deadLetterOffsets(next, siblingNext());
    return { key: null, next: offsets, lowest: offsets };
  }
}
