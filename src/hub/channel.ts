import type { PartitionOffsets } from '../kafka/port.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { GroupOf, Turn } from './group.ts';
import { GroupTable, type Wish } from './group-table.ts';
import { isPassed, type JoinPoint, precedes } from './join-point.ts';
import type { EncodeCursor, Message } from './message.ts';
import type { Subscription } from './subscription.ts';

/** Where a message comes from, and what filters look at. */
export interface MessageSource {
  readonly partition: number;
  readonly offset: number;
  /** The broker's time, in milliseconds since 1970. */
  readonly recordedAtMs: number;
  readonly payload: unknown;
}

/**
 * Most join points at a time: while a partition cannot be read none is passed, and each is looked at for each message.
 * Who comes then shares the last one, and may get what was recorded since that and before it came.
 */
const maxJoinPoints = 64;

/** Messages of one kind on their way to all who subscribe to them: routed, grouped, handed out in turns. */
export class Channel<In, Out extends Message, Shape> {
  readonly #open: (shape: Shape) => GroupOf<In, Out>;
  readonly #joined: GroupTable<In, Out, Shape>;
  /** Those for whom something may still come that was recorded before they were accepted. */
  readonly #newcomers = new Map<JoinPoint, GroupTable<In, Out, Shape>>();
  #delivered = 0;

  /** @param open makes a group for those who want its shape */
  constructor(open: (shape: Shape) => GroupOf<In, Out>) {
    this.#open = open;
    this.#joined = new GroupTable(open);
  }

  get size(): number {
    let size = this.#joined.size;
    for (const newcomers of this.#newcomers.values()) size += newcomers.size;
    return size;
  }

  /** Messages handed to subscriptions so far. */
  get delivered(): number {
    return this.#delivered;
  }

  /** From here on the subscription gets what comes, but nothing from before its join point. */
  add(
    subscription: Subscription<Out>,
    wish: Wish<Shape>,
    { at, join }: { readonly at: StreamPosition; readonly join: JoinPoint | undefined },
  ): void {
    if (join === undefined) {
      this.#delivered += this.#joined.add(subscription, wish, at);
      return;
    }
    let table = this.#newcomers.get(join);
    if (table === undefined && this.#newcomers.size >= maxJoinPoints) {
      table = [...this.#newcomers.values()].at(-1);
    }
    if (table === undefined) {
      table = new GroupTable(this.#open);
      this.#newcomers.set(join, table);
    }
    this.#delivered += table.add(subscription, wish, at);
  }

  remove(subscription: Subscription<Out>): void {
    if (this.#joined.remove(subscription)) return;
    for (const [join, table] of this.#newcomers) {
      if (!table.remove(subscription)) continue;
      if (table.size === 0) this.#newcomers.delete(join);
      return;
    }
  }

  /** Where a subscription stands that does not have all that came; undefined: nothing is kept from it. */
  keptFrom(subscription: Subscription<Out>): StreamPosition | undefined {
    for (const table of [this.#joined, ...this.#newcomers.values()]) {
      const from = table.keptFrom(subscription);
      if (from !== undefined) return from;
    }
    return undefined;
  }

  /** Hands out what is kept for a subscription. @param at where the stream stands */
  settle(subscription: Subscription<Out>, at: StreamPosition): void {
    for (const table of [this.#joined, ...this.#newcomers.values()]) {
      this.#delivered += table.settleFor(subscription, at);
    }
  }

  accept(message: In, source: MessageSource): void {
    this.#joined.accept(message, source);
    const { partition, offset, recordedAtMs } = source;
    for (const [join, table] of this.#newcomers) {
      if (!precedes(join, partition, offset, recordedAtMs)) table.accept(message, source);
    }
  }

  /**
   * Hands out what is due, at the end of a turn.
   *
   * @param turn from where to where the stream went
   * @param lowest the lowest offsets that may still come
   */
  flush(turn: Turn, lowest: () => PartitionOffsets): void {
    this.#delivered += this.#joined.flush(turn);
    if (this.#newcomers.size === 0) return;
    const mayCome = lowest();
    for (const [join, table] of this.#newcomers) {
      this.#delivered += table.flush(turn);
      if (!isPassed(join, mayCome)) continue;
      this.#delivered += this.#joined.absorb(table, turn.after);
      this.#newcomers.delete(join);
    }
  }

  /** Tells those how far the stream has come who have heard nothing since this was called last. */
  progress(at: StreamPosition, encode: EncodeCursor): void {
    this.#joined.progress(at, encode);
    for (const table of this.#newcomers.values()) table.progress(at, encode);
  }

  /** Ends every subscription, with `error` if there is one, after what is kept for it. @param at where the stream stands */
  end(error: Error | undefined, at: StreamPosition): void {
    for (const table of [this.#joined, ...this.#newcomers.values()]) {
      this.#delivered += table.settle(at);
      for (const subscription of table.subscriptions) subscription.end(error);
    }
  }
}
