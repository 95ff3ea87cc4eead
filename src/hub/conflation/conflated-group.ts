import type { Clock, Timer } from '../../core/clock.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';
import type { Conflated } from '../delivery.ts';
import type { Group, GroupOf, Turn } from '../group.ts';
import type { Waiting } from '../keeping.ts';
import type { EncodeCursor, EventMessage, Message } from '../message.ts';
import type { Subscription } from '../subscription.ts';
import type { ConflationBounds } from './choice.ts';
import { Conflation } from './conflation.ts';

/** What is known of the stream by those who get some of its events. */
export interface GroupPlace {
  /** Where the stream stood at the end of its last turn, or before what is still kept from the group. */
  readonly position: () => StreamPosition;
  /** See `EventBatch.watermarkMs`. */
  readonly watermarkMs: () => number | null;
  /** See `Parcel.isOfPast`. @default false */
  readonly isOfPast?: boolean | undefined;
}

type Inner<Out extends Message> = Group<Out> & GroupOf<EventMessage, Out>;

export interface ConflatedGroupOptions<Out extends Message> extends Omit<GroupPlace, 'isOfPast'> {
  readonly clock: Clock;
  readonly bounds: ConflationBounds;
  /** What waits for the project. @default nobody counts */
  readonly waiting?: Waiting | undefined;
  /** Makes a group that puts together what is delivered. */
  readonly open: (place: GroupPlace) => Inner<Out>;
  /** Called when an interval ends early, as `bounds` say, or as the project has so much waiting. */
  readonly onCut: () => void;
  /** Called when something went out of turn. */
  readonly onDelivered: (deliveries: number) => void;
}

/** Members who came in the midst of an interval. */
interface Newcomers<Out extends Message> {
  /** They get what came after so many of the interval's events. */
  from: number;
  readonly at: StreamPosition;
  readonly group: Inner<Out>;
}

/**
 * Some of the events, at most once in an interval. The first after a silence goes out with its turn and
 * begins an interval; what comes within it waits for its end, and then begins the next one. An interval in
 * which nothing came ends that.
 *
 * Who joins in the midst of an interval disturbs nobody: at its end it gets what came since, and is from
 * then on one of the members.
 */
export class ConflatedGroup<Out extends Message> implements GroupOf<EventMessage, Out> {
  readonly #options: ConflatedGroupOptions<Out>;
  readonly #everyMs: number;
  readonly #conflation: Conflation;
  readonly #inner: Inner<Out>;
  #newcomers: Newcomers<Out>[] = [];
  /** Of what is kept: where the stream stood before it, and a bound of its times. */
  #kept: { readonly before: StreamPosition; readonly watermarkMs: number | null } | undefined;
  /** What of it counts as waiting. */
  #waitingBytes = 0;
  /** Where the members stand when what was released in this turn has been handed out, … */
  #releasedTo: StreamPosition | undefined;
  /** … and where they stood before it. */
  #releasedFrom: StreamPosition | undefined;
  /** Until the end of the interval. */
  #interval: Timer | undefined;

  constructor(delivery: Conflated, options: ConflatedGroupOptions<Out>) {
    this.#options = options;
    this.#everyMs = delivery.everyMs;
    this.#conflation = new Conflation(delivery, options.bounds);
    this.#inner = options.open(
      this.#place(() => this.#kept?.before ?? this.#releasedTo ?? options.position()),
    );
  }

  get size(): number {
    let { size } = this.#inner;
    for (const { group } of this.#newcomers) size += group.size;
    return size;
  }

  add(member: Subscription<Out>, at: StreamPosition): void {
    if (this.#kept === undefined) {
      this.#inner.add(member, at);
      return;
    }
    const from = this.#conflation.count;
    let last = this.#newcomers.at(-1);
    // Where `from` is the same, nothing came in between.
    if (last?.from !== from) {
      last = { from, at, group: this.#options.open(this.#place(() => at)) };
      this.#newcomers.push(last);
    }
    last.group.add(member, at);
  }

  remove(member: Subscription<Out>): void {
    this.#inner.remove(member);
    for (const { group } of this.#newcomers) group.remove(member);
    const left = this.#newcomers.filter(({ group }) => group.size === 0);
    if (left.length === 0) return;
    for (const { group } of left) group.close();
    this.#newcomers = this.#newcomers.filter(({ group }) => group.size > 0);
  }

  accept(message: EventMessage): void {
    const { position, watermarkMs } = this.#options;
    this.#kept ??= { before: this.#releasedTo ?? position(), watermarkMs: watermarkMs() };
    this.#conflation.accept(message);
    this.#waits(this.#conflation.bytes);
    if (!this.#conflation.isFull && this.#options.waiting?.isFull !== true) return;
    this.#options.onCut();
    this.#release();
  }

  keptFrom(member: Subscription<Out>): StreamPosition | undefined {
    for (const { group, at } of this.#newcomers) if (group.has(member)) return at;
    return this.#inner.keptFrom(member) ?? this.#kept?.before;
  }

  settle(): void {
    this.#release();
    this.#inner.settle();
    for (const { group } of this.#newcomers) group.settle();
  }

  /** What is kept stays so: a newcomer is told apart. */
  makeRoom(at: StreamPosition): number {
    return this.#kept === undefined ? this.#inner.makeRoom(at) : 0;
  }

  flush(turn: Turn): number {
    if (this.#interval === undefined) {
      this.#release();
      if (this.#releasedFrom !== undefined) this.#begin();
    }
    return this.#handOut(turn);
  }

  report(at: StreamPosition, encode: EncodeCursor): void {
    this.#inner.report(this.#kept?.before ?? at, encode);
    for (const { group, at: joinedAt } of this.#newcomers) group.report(joinedAt, encode);
  }

  close(): void {
    this.#interval?.cancel();
    this.#waits(0);
    this.#inner.close();
    for (const { group } of this.#newcomers) group.close();
  }

  #waits(bytes: number): void {
    this.#options.waiting?.add(bytes - this.#waitingBytes);
    this.#waitingBytes = bytes;
  }

  #place(position: () => StreamPosition): GroupPlace {
    return {
      position,
      isOfPast: true,
      watermarkMs: () => {
        const kept = this.#kept;
        return kept === undefined ? this.#options.watermarkMs() : kept.watermarkMs;
      },
    };
  }

  #begin(): void {
    this.#interval = this.#options.clock.schedule(this.#everyMs, () => {
      this.#interval = undefined;
      if (this.#kept === undefined) return;
      // Before it is handed out: its members may all leave over it.
      this.#begin();
      this.#release();
      const at = this.#options.position();
      this.#options.onDelivered(this.#handOut({ before: at, after: at }));
    });
  }

  /** Passes on what is due of what is kept. */
  #release(): void {
    if (this.#kept === undefined) return;
    const due = this.#conflation.take();
    this.#waits(0);
    for (const newcomers of this.#newcomers) {
      for (const message of due.since(newcomers.from)) newcomers.group.accept(message);
      newcomers.from = 0;
    }
    for (const message of due.messages) this.#inner.accept(message);
    this.#releasedFrom ??= this.#kept.before;
    this.#releasedTo = due.position;
    this.#kept = undefined;
  }

  /** Hands out what was released. */
  #handOut({ before, after }: Turn): number {
    const turn = {
      before: this.#releasedFrom ?? before,
      after: this.#kept?.before ?? after,
    };
    this.#releasedFrom = undefined;
    this.#releasedTo = undefined;
    let deliveries = this.#inner.flush(turn);
    const arrived = this.#newcomers.filter(({ from }) => from === 0);
    if (arrived.length === 0) return deliveries;
    deliveries += this.#inner.makeRoom(turn.after);
    for (const newcomers of arrived) deliveries += this.#takeIn(newcomers, turn.after);
    this.#newcomers = this.#newcomers.filter(({ from }) => from > 0);
    return deliveries;
  }

  /** They have got what they lacked: from here on they are members like any other. */
  #takeIn({ group, at }: Newcomers<Out>, after: StreamPosition): number {
    group.settle();
    const deliveries = group.flush({ before: at, after });
    // Not those who left over it.
    for (const member of group.members) {
      group.remove(member);
      this.#inner.add(member, after);
    }
    group.close();
    return deliveries;
  }
}
