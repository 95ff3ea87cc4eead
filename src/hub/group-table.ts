import type { GroupOf, Turn } from './group.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { EncodeCursor, Message } from './message.ts';
import { type RemoveRoute, RouteTable } from './route-table.ts';
import type { Subscription } from './subscription.ts';
import type { Where } from './where.ts';

/** What a subscriber wants of a channel; those who want the same are one group. */
export interface Wish<Shape> {
  readonly where: Where;
  /** How messages are put together. */
  readonly shape: Shape;
}

interface Entry<In, Out extends Message, Shape> {
  readonly key: string;
  readonly wish: Wish<Shape>;
  readonly group: GroupOf<In, Out>;
  readonly removeRoute: RemoveRoute;
}

/** Groups by what they want, and the routes to them. */
export class GroupTable<In, Out extends Message, Shape> {
  readonly #open: (shape: Shape) => GroupOf<In, Out>;
  readonly #routes = new RouteTable<GroupOf<In, Out>>();
  readonly #entries = new Map<string, Entry<In, Out, Shape>>();
  readonly #entryOf = new Map<Subscription<Out>, Entry<In, Out, Shape>>();
  /** Groups that may have something due. */
  readonly #touched = new Set<GroupOf<In, Out>>();

  constructor(open: (shape: Shape) => GroupOf<In, Out>) {
    this.#open = open;
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.#entryOf.size;
  }

  get subscriptions(): Iterable<Subscription<Out>> {
    return this.#entryOf.keys();
  }

  /**
   * @param at where the stream stands
   * @returns deliveries of what came before it, and is for the others
   */
  add(subscription: Subscription<Out>, wish: Wish<Shape>, at: StreamPosition): number {
    const key = JSON.stringify([wish.shape, wish.where.conditions]);
    const deliveries = this.#entries.get(key)?.group.makeRoom(at) ?? 0;
    // Only now: its last member may have left over what was handed out.
    const entry = this.#entries.get(key) ?? this.#enter(key, wish, this.#open(wish.shape));
    entry.group.add(subscription, at);
    this.#entryOf.set(subscription, entry);
    return deliveries;
  }

  /** @returns false: it is not here */
  remove(subscription: Subscription<Out>): boolean {
    const entry = this.#entryOf.get(subscription);
    if (entry === undefined) return false;
    this.#entryOf.delete(subscription);
    entry.group.remove(subscription);
    if (entry.group.size > 0) return true;
    this.#entries.delete(entry.key);
    this.#touched.delete(entry.group);
    entry.removeRoute();
    entry.group.close();
    return true;
  }

  /** Where a subscription stands from which something is kept. */
  keptFrom(subscription: Subscription<Out>): StreamPosition | undefined {
    return this.#entryOf.get(subscription)?.group.keptFrom(subscription);
  }

  /** Hands out what is kept for a subscription and those who want the same. @returns deliveries */
  settleFor(subscription: Subscription<Out>, at: StreamPosition): number {
    const key = this.#entryOf.get(subscription)?.key;
    return key === undefined ? 0 : this.#settle(key, at);
  }

  /** Has the groups that the message is for take it. */
  accept(message: In, source: { readonly payload: unknown }): void {
    this.#routes.match(source, (group) => {
      group.accept(message);
      this.#touched.add(group);
    });
  }

  /** @returns deliveries */
  flush(turn: Turn): number {
    if (this.#touched.size === 0) return 0;
    let deliveries = 0;
    for (const group of this.#touched) deliveries += group.flush(turn);
    this.#touched.clear();
    return deliveries;
  }

  /**
   * Takes over the subscriptions of another table. Those that end over what is handed out before must be
   * removed from the other one.
   *
   * @param at where the stream stands
   * @returns deliveries of what was kept, here or there, and cannot be kept any longer
   */
  absorb(other: GroupTable<In, Out, Shape>, at: StreamPosition): number {
    const known = [...other.#entries.keys()].filter((key) => this.#entries.has(key));
    let deliveries = 0;
    for (const key of known) {
      deliveries += other.#settle(key, at) + (this.#entries.get(key)?.group.makeRoom(at) ?? 0);
    }
    // From here on nothing is handed out, so nobody leaves.
    const groups = new Map<Entry<In, Out, Shape>, Entry<In, Out, Shape>>();
    for (const entry of other.#entries.values()) {
      if (this.#entries.has(entry.key)) continue;
      // What it keeps goes with it.
      entry.removeRoute();
      groups.set(entry, this.#enter(entry.key, entry.wish, entry.group));
    }
    for (const [subscription, entry] of other.#entryOf) {
      const moved = groups.get(entry);
      if (moved === undefined) {
        other.remove(subscription);
        this.add(subscription, entry.wish, at);
      } else {
        this.#entryOf.set(subscription, moved);
      }
    }
    return deliveries;
  }

  /** Tells those how far the stream has come who have heard nothing since this was called last. */
  progress(at: StreamPosition, encode: EncodeCursor): void {
    for (const { group } of this.#entries.values()) {
      group.report(at, encode);
    }
  }

  /** Hands out all that is kept. @returns deliveries */
  settle(at: StreamPosition): number {
    let deliveries = 0;
    for (const key of this.#entries.keys()) deliveries += this.#settle(key, at);
    return deliveries;
  }

  #settle(key: string, at: StreamPosition): number {
    const group = this.#entries.get(key)?.group;
    group?.settle();
    return group?.flush({ before: at, after: at }) ?? 0;
  }

  #enter(key: string, wish: Wish<Shape>, group: GroupOf<In, Out>): Entry<In, Out, Shape> {
    const entry = { key, wish, group, removeRoute: this.#routes.add(group, wish.where.conditions) };
    this.#entries.set(key, entry);
    return entry;
  }
}
