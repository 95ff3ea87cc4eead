import type { Clock, Timer } from '../core/clock.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import { Group, type GroupOf, type Turn } from './group.ts';
import type { Waiting } from './keeping.ts';
import { type EncodeCursor, EventBatch, type EventMessage } from './message.ts';
import type { Subscription } from './subscription.ts';

/** When a batch is sent: with so many events, or so long after its first one came. */
export interface Batching {
  readonly maxEvents: number;
  readonly maxWaitMs: number;
}

export interface BatchGroupOptions {
  readonly clock: Clock;
  /** See `EventBatch.watermarkMs`. */
  readonly watermarkMs: () => number | null;
  /** Where the stream stood at the end of its last turn, or before what is still kept from the group. */
  readonly position: () => StreamPosition;
  readonly encode: EncodeCursor;
  /** See `Parcel.isOfPast`. @default false */
  readonly isOfPast?: boolean | undefined;
  /** Most that the texts of the events of a batch have together. @default no limit */
  readonly maxBytes?: number | undefined;
  /** What waits for the project. @default nobody counts */
  readonly waiting?: Waiting | undefined;
  /** Called when a batch is sent early, as it or the project has so much waiting. @default nobody is told */
  readonly onCut?: (() => void) | undefined;
  /** Called when a batch went out of turn. */
  readonly onDelivered: (deliveries: number) => void;
}

/** Members who came while a batch was open. */
interface Newcomers {
  /** They get what came after so many of its events; 0: it is closed, and they have got, or are due, the rest of it. */
  from: number;
  readonly at: StreamPosition;
  readonly members: Set<Subscription<EventBatch>>;
  readonly due: EventBatch[];
}

/**
 * Events in batches, each built once for all members. Who joins while one is open changes nothing for the others: with
 * its end it gets what came since, and is from then on one of the members.
 */
export class BatchGroup extends Group<EventBatch> implements GroupOf<EventMessage, EventBatch> {
  readonly #batching: Batching;
  readonly #options: BatchGroupOptions;
  #open: EventMessage[] = [];
  #openBytes = 0;
  /** Where the stream stood before the first event of the open batch, … */
  #openBefore: StreamPosition | undefined;
  /** … before the first of those that are due, … */
  #dueBefore: StreamPosition | undefined;
  /** … and with the last of them. */
  #dueAfter: StreamPosition | undefined;
  #timer: Timer | undefined;
  #newcomers: Newcomers[] = [];

  constructor(batching: Batching, options: BatchGroupOptions) {
    super(options.isOfPast);
    this.#batching = batching;
    this.#options = options;
  }

  override get size(): number {
    return this.#newcomers.reduce((size, { members }) => size + members.size, super.size);
  }

  override add(member: Subscription<EventBatch>, at: StreamPosition): void {
    const from = this.#open.length;
    if (from === 0) {
      super.add(member, at);
      return;
    }
    let last = this.#newcomers.at(-1);
    // Where `from` is the same, nothing came in between.
    if (last?.from !== from) {
      last = { from, at, members: new Set(), due: [] };
      this.#newcomers.push(last);
    }
    last.members.add(member);
  }

  override remove(member: Subscription<EventBatch>): void {
    super.remove(member);
    for (const { members } of this.#newcomers) members.delete(member);
    if (this.#newcomers.some(({ members }) => members.size === 0)) {
      this.#newcomers = this.#newcomers.filter(({ members }) => members.size > 0);
    }
  }

  override has(member: Subscription<EventBatch>): boolean {
    return super.has(member) || this.#newcomers.some(({ members }) => members.has(member));
  }

  accept(message: EventMessage): void {
    this.#openBefore ??= this.#dueAfter ?? this.#options.position();
    this.#open.push(message);
    const { maxBytes = Number.POSITIVE_INFINITY, waiting, onCut } = this.#options;
    this.#openBytes += message.size;
    waiting?.add(message.size);
    if (this.#open.length >= this.#batching.maxEvents) {
      this.settle();
    } else if (this.#openBytes >= maxBytes || waiting?.isFull === true) {
      onCut?.();
      this.settle();
    }
  }

  override keptFrom(member: Subscription<EventBatch>): StreamPosition | undefined {
    return this.#newcomers.find(({ members }) => members.has(member))?.at ?? this.#openBefore;
  }

  settle(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const last = this.#open.at(-1);
    if (last === undefined) return;
    const { watermarkMs, encode } = this.#options;
    const { position } = last;
    const batchOf = (events: readonly EventMessage[]): EventBatch =>
      new EventBatch(events, watermarkMs(), { position, encode });
    const batch = batchOf(this.#open);
    this.send(batch);
    for (const newcomers of this.#newcomers) {
      const { from, due } = newcomers;
      if (from === 0) due.push(batch);
      else if (from < this.#open.length) due.push(batchOf(this.#open.slice(from)));
      newcomers.from = 0;
    }
    this.#open = [];
    this.#waitsNoLonger();
    this.#dueBefore ??= this.#openBefore;
    this.#dueAfter = position;
    this.#openBefore = undefined;
  }

  close(): void {
    this.#timer?.cancel();
    this.#waitsNoLonger();
  }

  /** What is open stays so: a newcomer is told apart. */
  override makeRoom(at: StreamPosition): number {
    return this.#dueAfter === undefined ? 0 : this.#handOutDue({ before: at, after: at });
  }

  override flush(turn: Turn): number {
    const { maxWaitMs } = this.#batching;
    // Without a wait a batch is what one turn brings.
    if (maxWaitMs === 0) this.settle();
    else if (this.#open.length > 0) this.#timer ??= this.#schedule(maxWaitMs);
    return this.#handOutDue(turn);
  }

  protected progress(at: StreamPosition): void {
    if (this.#open.length > 0) return;
    const { watermarkMs, encode } = this.#options;
    const batch = new EventBatch([], watermarkMs(), { position: at, encode });
    this.handOut([batch], { before: at, after: at });
  }

  #waitsNoLonger(): void {
    this.#options.waiting?.add(-this.#openBytes);
    this.#openBytes = 0;
  }

  #handOutDue(turn: Turn): number {
    const before = this.#dueBefore ?? turn.before;
    // What is open came in this turn, or before it.
    const after = this.#open.length > 0 ? (this.#dueAfter ?? before) : turn.after;
    this.#dueBefore = undefined;
    this.#dueAfter = undefined;
    let deliveries = super.flush({ before, after });
    for (const newcomers of this.#newcomers) {
      if (newcomers.from === 0) deliveries += this.#takeIn(newcomers, after);
    }
    this.#newcomers = this.#newcomers.filter(({ from }) => from > 0);
    return deliveries;
  }

  #takeIn({ at, members, due }: Newcomers, after: StreamPosition): number {
    const isDue = due.length > 0 && members.size > 0;
    const deliveries = isDue ? this.handOut(due, { before: at, after }, { members }) : 0;
    // Not those who left over it.
    for (const member of members) super.add(member, after);
    return deliveries;
  }

  #schedule(delayMs: number): Timer {
    return this.#options.clock.schedule(delayMs, () => {
      this.settle();
      const at = this.#options.position();
      this.#options.onDelivered(this.flush({ before: at, after: at }));
    });
  }
}
