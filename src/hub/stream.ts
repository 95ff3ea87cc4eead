import type { Clock } from '../core/clock.ts';
import type { Event } from '../decode/event.ts';
import type { PartitionOffsets } from '../kafka/port.ts';
import type { OrderKey } from '../sequence/order-key.ts';
import type { EventOrder } from '../sequence/order.ts';
import { Sequencer } from '../sequence/sequencer.ts';
import type { SequencerOptions } from '../sequence/sequencer-options.ts';
import { Audience, type BatchShape } from './audience.ts';
import type { Channel } from './channel.ts';
import { Conflation } from './conflation/conflation.ts';
import {
  areAtLeast,
  beginning,
  positionOf,
  resumePointOf,
  type StreamPosition,
} from './cursor/stream-position.ts';
import type { Cursors } from './cursors.ts';
import type { LostRange } from '../core/errors.ts';
import type { LeaderEpochs } from './cursor/lanes.ts';
import type { Conflated, Delivery } from './delivery.ts';
import { FollowedStream } from './followed-stream.ts';
import type { Wish } from './group-table.ts';
import type { Lineage } from './lineage.ts';
import { KeysBefore } from './history/keys-before.ts';
import { History } from './history/history.ts';
import type { Replay } from './history/replay.ts';
import { isPassed, type JoinPoint } from './join-point.ts';
import type { KeepingBounds } from './keeping.ts';
import type { EventBatch, EventMessage, Message } from './message.ts';
import { SharedParcels } from './resume/shared-parcels.ts';
import { keyOf, type StreamSubscriber } from './stream-subscriber.ts';
import type { Subscription } from './subscription.ts';
import type { StreamCounts } from './stream-counts.ts';

/** What makes two subscriptions of a feed share their work. */
export interface StreamKey {
  readonly order: EventOrder;
  readonly deduplicate: boolean;
}

export interface StreamOptions
  extends StreamKey,
    Omit<SequencerOptions, 'emit' | 'onCopy' | 'resumeFrom'> {
  readonly clock: Clock;
  /** How much is remembered of what was delivered, in bytes. */
  readonly historyBytes: number;
  readonly keeping: KeepingBounds;
  readonly cursorsOf: (projectId: string, key: StreamKey) => Cursors;
  /** Of the feed. @default nothing is known of leaders */
  readonly lineage?: Lineage;
  /** See `Parcel.isOfPast`. @default false */
  readonly isOfPast?: boolean;
}

/** Where a stream begins. */
export interface StreamStart {
  /** From here on everything is delivered. */
  readonly position: StreamPosition;
  /** Where reading begins: what lies between here and there is only asked for its ids. */
  readonly readFrom: PartitionOffsets;
}

const noEpochs: LeaderEpochs = [];

/** A subscriber's place in a stream. */
export interface Joined {
  /** Where it stands, if something is kept from it: for a batch, or until the end of an interval. */
  keptFrom(): StreamPosition | undefined;
  /** Hands over what is kept. Without it, leaving drops that. */
  settle(): void;
  leave(): void;
}

/** What the places in a stream need of it. */
interface PlaceHost {
  readonly position: () => StreamPosition;
  readonly left: (subscriber: StreamSubscriber) => void;
}

/** There may be very many: no functions of its own. */
class Place<Out extends Message, Shape> implements Joined {
  readonly #host: PlaceHost;
  readonly #channel: Channel<EventMessage, Out, Shape>;
  readonly #subscription: Subscription<Out>;
  readonly #subscriber: StreamSubscriber;

  constructor(
    host: PlaceHost,
    channel: Channel<EventMessage, Out, Shape>,
    who: { readonly subscription: Subscription<Out>; readonly subscriber: StreamSubscriber },
  ) {
    this.#host = host;
    this.#channel = channel;
    this.#subscription = who.subscription;
    this.#subscriber = who.subscriber;
  }

  keptFrom(): StreamPosition | undefined {
    return this.#channel.keptFrom(this.#subscription);
  }

  settle(): void {
    this.#channel.settle(this.#subscription, this.#host.position());
  }

  leave(): void {
    this.#channel.remove(this.#subscription);
    this.#host.left(this.#subscriber);
  }
}

/** A feed's events in one order, sequenced once for all subscribers that want it so. */
export class Stream extends FollowedStream<Event> {
  /** What is made for those who get what it remembers. */
  readonly played = {
    events: new SharedParcels<Event, EventMessage>(bytesOf),
    batches: new SharedParcels<Event, EventBatch>(bytesOf),
  };
  readonly #options: StreamOptions;
  readonly #audiences = new Map<string, Audience>();
  #cutIntervals = 0;
  /** Delivered to audiences that are no more. */
  #retired = 0;
  #begun: { readonly sequencer: Sequencer; readonly history: History<Event> } | undefined;
  readonly #host: PlaceHost = {
    position: () => this.position,
    left: (subscriber) => this.#forgetIfEmpty(subscriber),
  };
  /** Of one that knows no ids from before its start: until the window is past. */
  #lacksIdsUntilMs = Number.NEGATIVE_INFINITY;
  /** A copy that was recorded before this may count elsewhere: see `KeysBefore`. */
  #doubtfulUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: StreamOptions) {
    super(options.clock);
    this.#options = options;
    this.scheduleProgress();
  }

  get key(): StreamKey {
    return this.#options;
  }

  /** Whether copies are left out. */
  get dropsCopies(): boolean {
    return this.#options.deduplicate;
  }

  /** @throws {Error} when it has not begun */
  get sequencer(): Sequencer {
    if (this.#begun === undefined) throw new Error('the stream has not begun');
    return this.#begun.sequencer;
  }

  get hasBegun(): boolean {
    return this.#begun !== undefined;
  }

  /** Where it stood at the end of its last turn. */
  get position(): StreamPosition {
    return this.#begun?.history.position ?? beginning;
  }

  /** How many names it is subscribed to by, each for a project. */
  get audiences(): number {
    return this.#audiences.size;
  }

  get subscribers(): number {
    let subscribers = 0;
    for (const { size } of this.#audiences.values()) subscribers += size;
    return subscribers;
  }

  /** What it remembers of what it delivered, and keeps for those who come back. */
  get historyBytes(): number {
    const { events, batches } = this.played;
    return (this.#begun?.history.bytes ?? 0) + events.bytes + batches.bytes;
  }

  /** Messages handed to subscriptions so far. */
  get delivered(): number {
    let sum = this.#retired;
    for (const { delivered } of this.#audiences.values()) sum += delivered;
    return sum;
  }

  get counters(): Omit<StreamCounts, 'subscribers' | 'delivered'> {
    const cutIntervals = this.#cutIntervals;
    if (this.#begun === undefined) {
      return { duplicates: 0, late: 0, releasedEarly: 0, cutIntervals, held: 0 };
    }
    const { counters, held } = this.#begun.sequencer;
    const { duplicates, late, releasedEarly } = counters;
    return { duplicates, late, releasedEarly, cutIntervals, held };
  }

  /** It is known where to read from. To be called once, before the first record. */
  begin({ position, readFrom }: StreamStart): void {
    const before = new KeysBefore();
    const isDoubtful = (event: Event, key: OrderKey | null): boolean =>
      before.reaches(key) || (key !== null && event.recordedAtMs <= this.#doubtfulUntilMs);
    const sequencer = new Sequencer({
      ...this.#options,
      resumeFrom: resumePointOf(position),
      emit: (event, late) => this.#deliver(event, late),
      onCopy: (event) => {
        const key = sequencer.keyUnderWay();
        if (sequencer.rereading) before.add(key);
        else history.copy(event, key, isDoubtful(event, key));
      },
    });
    const history = new History<Event>({
      order: this.#options.order,
      maxBytes: this.#options.historyBytes,
      start: position,
      recordOf: ({ id, partition, offset }) => ({ id, lane: partition, offset }),
      bytesOf,
      epochs: () => this.#epochs,
    });
    this.#begun = { sequencer, history };
    for (const [partition, offset] of readFrom) sequencer.addPartition(partition, offset);
  }

  /**
   * As `begin`, of a stream whose feed has been reading for a while.
   *
   * @param ids one that knows the ids of what was read; undefined: none does
   */
  beginLater(start: StreamStart, ids: Stream | undefined): void {
    this.begin(start);
    const { clock, deduplicate, latenessMs, dedupWindowMs } = this.#options;
    const { maxAdvanceMs = 0, maxStallMs = 0 } = this.#options;
    if (!deduplicate) return;
    if (ids === undefined) {
      this.#lacksIdsUntilMs = clock.now() + dedupWindowMs;
      return;
    }
    this.sequencer.rememberAllOf(ids.sequencer);
    // The keys that go with the ids are not known, but for how long a copy may be held in place of one.
    this.#doubtfulUntilMs = clock.now() + latenessMs + 2 * maxAdvanceMs + maxStallMs;
  }

  /** What follows a position: see `History.after`. Not to be asked in the midst of a turn. */
  after(position: StreamPosition): Replay<Event> | 'gone' | 'ahead' {
    // It delivers copies of what was delivered elsewhere.
    if (this.#options.clock.now() < this.#lacksIdsUntilMs) return 'gone';
    return this.#begun?.history.after(position) ?? 'gone';
  }

  meet({ key, next }: StreamPosition): void {
    if (this.#begun === undefined || key === null) return;
    const { sequencer, history } = this.#begun;
    if (!areAtLeast(history.position.next, next) || !sequencer.raise(key)) return;
    history.mark(positionOf(sequencer.position(), this.#epochs));
  }

  lostOf(position: StreamPosition): LostRange[] {
    return this.#options.lineage?.lostOf(position) ?? [];
  }

  /**
   * Makes messages of this stream as this subscriber gets them. It may not be subscribed yet, and never come to be: so
   * nothing is kept for it here.
   */
  scribeFor(subscriber: StreamSubscriber): Pick<Audience, 'messageOf' | 'batchOf'> {
    return this.#audiences.get(keyOf(subscriber)) ?? this.#openAudience(subscriber);
  }

  /** Most bytes of the events of one batch; undefined: no limit. */
  get maxBatchBytes(): number | undefined {
    return this.#options.keeping.maxBatchBytes;
  }

  /** What some events of this stream become for one subscriber by itself. */
  conflation(delivery: Conflated): Conflation {
    return new Conflation(delivery, this.#options.keeping);
  }

  /** From here on the subscription gets what is released, but nothing from before its join point. */
  addEvents(
    subscription: Subscription<EventMessage>,
    subscriber: StreamSubscriber,
    wish: Wish<Delivery> & { readonly join: JoinPoint | undefined },
  ): Joined {
    return this.#add(this.#audienceOf(subscriber).events, { subscription, subscriber, ...wish });
  }

  /** As `addEvents`, in batches. */
  addBatches(
    subscription: Subscription<EventBatch>,
    subscriber: StreamSubscriber,
    wish: Wish<BatchShape> & { readonly join: JoinPoint | undefined },
  ): Joined {
    return this.#add(this.#audienceOf(subscriber).batches, { subscription, subscriber, ...wish });
  }

  /** Delivers all that is due: the end of a turn. */
  release(): void {
    if (this.#begun === undefined) return;
    const { sequencer, history } = this.#begun;
    const before = history.position;
    sequencer.release();
    history.mark(positionOf(sequencer.position(), this.#epochs));
    const turn = { before, after: history.position };
    const lowest = () => sequencer.position().lowest;
    for (const audience of this.#audiences.values()) audience.flush(turn, lowest);
    this.tellTurn();
  }

  /** Ends every subscription, with `error` if there is one. */
  end(error?: Error): void {
    this.over(error);
  }

  protected progress(): void {
    for (const audience of this.#audiences.values()) audience.progress(this.position);
  }

  protected endSubscriptions(error: Error | undefined): void {
    for (const audience of this.#audiences.values()) audience.end(error);
  }

  get #epochs(): LeaderEpochs {
    return this.#options.lineage?.epochs ?? noEpochs;
  }

  #deliver(event: Event, late: boolean): void {
    if (this.#begun === undefined) return;
    const { sequencer, history } = this.#begun;
    const message = history.emitted(event, late, sequencer.keyUnderWay());
    for (const audience of this.#audiences.values()) audience.accept(message);
  }

  #add<Out extends Message, Shape>(
    channel: Channel<EventMessage, Out, Shape>,
    {
      subscription,
      subscriber,
      join,
      ...wish
    }: Wish<Shape> & {
      readonly subscription: Subscription<Out>;
      readonly subscriber: StreamSubscriber;
      readonly join: JoinPoint | undefined;
    },
  ): Joined {
    channel.add(subscription, wish, { at: this.position, join: this.#unlessPassed(join) });
    return new Place(this.#host, channel, { subscription, subscriber });
  }

  #unlessPassed(join: JoinPoint | undefined): JoinPoint | undefined {
    if (join === undefined || this.#begun === undefined) return join;
    // Without offsets: the feed had not begun.
    if (join.from.size === 0) return join;
    return isPassed(join, this.sequencer.position().lowest) ? undefined : join;
  }

  /** Anybody may make up names that lead to the same topic. */
  #forgetIfEmpty(subscriber: StreamSubscriber): void {
    const key = keyOf(subscriber);
    const audience = this.#audiences.get(key);
    if (audience === undefined || audience.size > 0) return;
    this.#retired += audience.delivered;
    this.#audiences.delete(key);
  }

  #audienceOf(subscriber: StreamSubscriber): Audience {
    const key = keyOf(subscriber);
    const audience = this.#audiences.get(key) ?? this.#openAudience(subscriber);
    this.#audiences.set(key, audience);
    return audience;
  }

  #openAudience({ projectId, topic }: StreamSubscriber): Audience {
    const { clock, keeping, cursorsOf, order, deduplicate, isOfPast } = this.#options;
    return new Audience({
      isOfPast,
      topic,
      cursors: cursorsOf(projectId, { order, deduplicate }),
      clock,
      keeping,
      waiting: keeping.waiting?.of(projectId),
      onCut: () => {
        this.#cutIntervals += 1;
      },
      watermarkMs: () => this.sequencer.watermarkMs,
      position: () => this.position,
    });
  }
}

/** Length of its text. */
function bytesOf({ json }: Event): number {
  return json.length;
}
