import type { StreamPosition } from './cursor/stream-position.ts';
import type { EncodeCursor, Message } from './message.ts';
import { parcelOf } from './parcel.ts';
import type { Subscription } from './subscription.ts';

/** From where to where the stream went in a turn. */
export interface Turn {
  readonly before: StreamPosition;
  readonly after: StreamPosition;
}

/**
 * Subscribers who get the same: what is due for them is put together once. How messages become what is
 * sent (each by itself, in batches) is up to the kinds of groups.
 */
export abstract class Group<Out extends Message> {
  readonly #isOfPast: boolean;
  readonly #members = new Set<Subscription<Out>>();
  #due: Out[] = [];
  #sent = false;

  /** @param isOfPast see `Parcel.isOfPast` */
  constructor(isOfPast = false) {
    this.#isOfPast = isOfPast;
  }

  get size(): number {
    return this.#members.size;
  }

  get members(): Iterable<Subscription<Out>> {
    return this.#members;
  }

  /** @param _at where the stream stands: the member gets what comes from there on */
  add(member: Subscription<Out>, _at: StreamPosition): void {
    this.#members.add(member);
  }

  remove(member: Subscription<Out>): void {
    this.#members.delete(member);
  }

  has(member: Subscription<Out>): boolean {
    return this.#members.has(member);
  }

  /** Where a member stands that does not have all that the stream emitted; undefined: nothing is kept from it. */
  keptFrom(_member: Subscription<Out>): StreamPosition | undefined {
    return undefined;
  }

  /** Sends on what the group has kept for later. */
  abstract settle(): void;

  /** Hands out what a member that is added now must not get. @returns as `flush` */
  makeRoom(at: StreamPosition): number {
    this.settle();
    return this.flush({ before: at, after: at });
  }

  /** Stops its timers. */
  abstract close(): void;

  /** Hands out what is due: at the end of each turn. @returns how many messages, for all members together */
  flush(turn: Turn): number {
    if (this.#due.length === 0) return 0;
    const items = this.#due;
    this.#due = [];
    return this.handOut(items, turn);
  }

  /** Tells the members how far the stream has come, if they have heard nothing since this was called last. */
  report(at: StreamPosition, encode: EncodeCursor): void {
    const wasSent = this.#sent;
    this.#sent = false;
    if (!wasSent) this.progress(at, encode);
  }

  /** Tells the members how far the stream has come without a message for them. */
  protected abstract progress(at: StreamPosition, encode: EncodeCursor): void;

  protected send(item: Out): void {
    this.#due.push(item);
  }

  protected handOut(
    items: readonly Out[],
    { before, after }: Turn,
    {
      encode,
      members = this.#members,
    }: {
      readonly encode?: EncodeCursor;
      /** @default all that there are */
      readonly members?: ReadonlySet<Subscription<Out>>;
    } = {},
  ): number {
    const parcel = parcelOf(items, before, after, { encode, isOfPast: this.#isOfPast });
    this.#sent = true;
    const deliveries = items.length * members.size;
    for (const member of members) member.push(parcel);
    return deliveries;
  }
}

/** A group, by what it takes. */
export interface GroupOf<In, Out extends Message> {
  readonly size: number;
  /** @param at where the stream stands: the member gets what comes from there on */
  add(member: Subscription<Out>, at: StreamPosition): void;
  remove(member: Subscription<Out>): void;
  /** A message that is for the members; it goes out with the next `flush`, or is kept for later. */
  accept(message: In): void;
  keptFrom(member: Subscription<Out>): StreamPosition | undefined;
  settle(): void;
  makeRoom(at: StreamPosition): number;
  flush(turn: Turn): number;
  report(at: StreamPosition, encode: EncodeCursor): void;
  close(): void;
}

/** Each message by itself. */
export class SingleGroup<Item extends Message> extends Group<Item> implements GroupOf<Item, Item> {
  accept(message: Item): void {
    this.send(message);
  }

  settle(): void {
    // Nothing is kept.
  }

  close(): void {
    // There is no timer.
  }

  protected progress(at: StreamPosition, encode: EncodeCursor): void {
    this.handOut([], { before: at, after: at }, { encode });
  }
}
