import type { DeadLetter } from '../decode/event.ts';
import type { PartitionOffsets } from '../kafka/port.ts';
import { Channel } from './channel.ts';
import { SingleGroup } from './group.ts';
import type { JoinPoint } from './join-point.ts';
import { DeadLetterMessage } from './message.ts';
import type { Subscription } from './subscription.ts';

type DeadLetterChannel = Channel<DeadLetterMessage, DeadLetterMessage, null>;

/** A feed's dead letters, by the name that subscribers know the topic by. */
export class DeadLetterChannels {
  readonly #channels = new Map<string, DeadLetterChannel>();
  /** Delivered by channels that are no more. */
  #retired = 0;

  get subscribers(): number {
    let subscribers = 0;
    for (const { size } of this.#channels.values()) subscribers += size;
    return subscribers;
  }

  get delivered(): number {
    let sum = this.#retired;
    for (const { delivered } of this.#channels.values()) sum += delivered;
    return sum;
  }

  /** @returns the function that takes the subscription out again */
  add(
    subscription: Subscription<DeadLetterMessage>,
    topic: string,
    join: JoinPoint | undefined,
  ): () => void {
    const channel = this.#channels.get(topic) ?? this.#open(topic);
    channel.add(subscription, { where: [], shape: null }, join);
    return () => {
      channel.remove(subscription);
      if (channel.size > 0 || this.#channels.get(topic) !== channel) return;
      this.#retired += channel.delivered;
      this.#channels.delete(topic);
    };
  }

  accept(deadLetter: DeadLetter): void {
    const { partition, offset, recordedAtMs } = deadLetter;
    for (const [topic, channel] of this.#channels) {
      const source = { partition, offset, recordedAtMs, payload: undefined };
      channel.accept(new DeadLetterMessage(topic, deadLetter), source);
    }
  }

  /** @param next where reading stands */
  flush(next: PartitionOffsets): void {
    for (const channel of this.#channels.values()) channel.flush(() => next);
  }

  /** Ends every subscription, with `error` if there is one. */
  end(error: Error | undefined): void {
    for (const channel of this.#channels.values()) channel.end(error);
  }

  #open(topic: string): DeadLetterChannel {
    const channel: DeadLetterChannel = new Channel(() => new SingleGroup<DeadLetterMessage>());
    this.#channels.set(topic, channel);
    return channel;
  }
}
