import type { Clock } from '../../core/clock.ts';
import { type LostRange, MillraceError } from '../../core/errors.ts';
import type { DeadLetter } from '../../decode/event.ts';
import { Channel } from '../channel.ts';
import type { Cursors } from '../cursors.ts';
import type { LeaderEpochs } from '../cursor/lanes.ts';
import {
  beginning,
  deadLetterLane,
  deadLetterOffsets,
  type StreamPosition,
} from '../cursor/stream-position.ts';
import type { Feed } from '../feed.ts';
import { FollowedStream } from '../followed-stream.ts';
import { SingleGroup } from '../group.ts';
import { History } from '../history/history.ts';
import type { Replay } from '../history/replay.ts';
import type { StreamMessage } from '../history/stream-message.ts';
import type { JoinPoint } from '../join-point.ts';
import { DeadLetterMessage } from '../message.ts';
import { SharedParcels } from '../resume/shared-parcels.ts';
import { keyOf, type StreamSubscriber } from '../stream-subscriber.ts';
import type { Subscription } from '../subscription.ts';
import type { Where } from '../where.ts';
import type { DeadLetterSink } from './dead-letter-sink.ts';

/** One of something for the topic itself, one for its dead-letter topic. */
export type OfBoth<T> = readonly [ofTopic: T, ofDeadLetterTopic: T];

/** A dead letter and the lane that it lies in. */
export interface LanedDeadLetter {
  readonly lane: number;
  readonly deadLetter: DeadLetter;
}

export interface DeadLetterStreamOptions {
  readonly feeds: OfBoth<Feed>;
  readonly clock: Clock;
  /** How much is remembered of what was delivered, in bytes. */
  readonly historyBytes: number;
  readonly cursorsOf: (projectId: string) => Cursors;
}

type DeadLetterChannel = Channel<DeadLetterMessage, DeadLetterMessage, null>;

/** Who subscribes by one name of the topic, for one project. */
interface Audience {
  readonly subscriber: StreamSubscriber;
  readonly cursors: Cursors;
  readonly channels: OfBoth<DeadLetterChannel>;
}

interface Early {
  readonly side: 0 | 1;
  readonly deadLetter: DeadLetter;
}

/**
 * The dead letters of a topic, from both its feeds, as they arrive. Like a stream of events it remembers what it
 * delivered, for those who come back. It begins when it is known where both feeds do: before that no cursor can be
 * given, and what comes of one of them waits.
 */
export class DeadLetterStream extends FollowedStream<LanedDeadLetter> {
  /** What is made for those who get what it remembers. */
  readonly played = new SharedParcels<LanedDeadLetter, DeadLetterMessage>(({ deadLetter }) =>
    bytesOf(deadLetter),
  );
  readonly #options: DeadLetterStreamOptions;
  readonly #audiences = new Map<string, Audience>();
  /** Of projects that somebody was let in for: nobody can make them up. */
  readonly #cursors = new Map<string, Cursors>();
  /** Delivered to audiences that are no more. */
  readonly #retired: [number, number] = [0, 0];
  readonly #leave: (() => void)[];
  #history: History<LanedDeadLetter> | undefined;
  /** Before it has begun: what has come, in order, and where each feed stood before. */
  #early: Early[] = [];
  #earlyBytes = 0;
  readonly #began: [Map<number, number> | undefined, Map<number, number> | undefined];
  #lastEpochs:
    | {
        readonly ofTopic: LeaderEpochs | undefined;
        readonly ofDeadLetterTopic: LeaderEpochs | undefined;
        readonly both: LeaderEpochs;
      }
    | undefined;

  constructor(options: DeadLetterStreamOptions) {
    super(options.clock);
    this.#options = options;
    const [ofTopic, ofDeadLetterTopic] = options.feeds;
    this.#began = [startOf(ofTopic), startOf(ofDeadLetterTopic)];
    this.#leave = [
      ofTopic.addDeadLetterSink(this.#sink(0)),
      ofDeadLetterTopic.addDeadLetterSink(this.#sink(1)),
    ];
    this.#beginIfKnown();
    this.scheduleProgress();
  }

  get hasBegun(): boolean {
    return this.#history !== undefined;
  }

  get position(): StreamPosition {
    return this.#history?.position ?? beginning;
  }

  meet(): void {
    // There is no K.
  }

  after(position: StreamPosition): Replay<LanedDeadLetter> | 'gone' | 'ahead' {
    return this.#history?.after(position) ?? 'gone';
  }

  lostOf({ next, epochs = [] }: StreamPosition): LostRange[] {
    return this.#options.feeds.flatMap(({ lineage }, side) => {
      const isOwn = (_: unknown, lane: number): boolean => lane % 2 === side;
      const own = { next: next.filter(isOwn), epochs: epochs.filter(isOwn) };
      return lineage.lostOf({ key: null, lowest: own.next, ...own });
    });
  }

  /** The cursors of a project. */
  cursorsOf(projectId: string): Cursors {
    let cursors = this.#cursors.get(projectId);
    if (cursors === undefined) {
      cursors = this.#options.cursorsOf(projectId);
      this.#cursors.set(projectId, cursors);
    }
    return cursors;
  }

  /** Where a subscription joins that is accepted now, in each of the feeds. */
  joinPoints(): OfBoth<JoinPoint | undefined> {
    const [ofTopic, ofDeadLetterTopic] = this.#options.feeds;
    return [ofTopic.joinPoint(), ofDeadLetterTopic.joinPoint()];
  }

  /**
   * From here on the subscription gets what comes, but nothing from before its join points, if it has any.
   *
   * @returns the function that takes it out again
   */
  add(
    subscription: Subscription<DeadLetterMessage>,
    subscriber: StreamSubscriber,
    where: Where,
    joins: OfBoth<JoinPoint | undefined> = [undefined, undefined],
  ): () => void {
    const audience = this.#audienceOf(subscriber);
    const at = this.position;
    for (const side of [0, 1] as const) {
      audience.channels[side].add(subscription, { where, shape: null }, { at, join: joins[side] });
    }
    return () => {
      for (const channel of audience.channels) channel.remove(subscription);
      this.#forgetIfEmpty(audience);
    };
  }

  /** Makes messages of this stream as this subscriber gets them: see `Stream.scribeFor`. */
  scribeFor(
    subscriber: StreamSubscriber,
  ): (message: StreamMessage<LanedDeadLetter>) => DeadLetterMessage {
    const audience = this.#audiences.get(keyOf(subscriber)) ?? this.#openAudience(subscriber);
    return (message) => messageOf(audience, message);
  }

  /** Ends every subscription, with `error` if there is one. */
  end(error: Error | undefined): void {
    if (!this.hasEnded) this.over(error);
  }

  /** Takes nothing more from its feeds, and stops its timer. */
  override close(): void {
    super.close();
    for (const leave of this.#leave) leave();
  }

  protected progress(): void {
    for (const { cursors, channels } of this.#audiences.values()) {
      // Everybody is in both.
      channels[0].progress(this.position, cursors.encode);
    }
  }

  protected endSubscriptions(error: Error | undefined): void {
    const at = this.position;
    for (const { channels } of this.#audiences.values()) {
      for (const channel of channels) channel.end(error, at);
    }
  }

  /** How one of the feeds sees it. */
  #sink(side: 0 | 1): DeadLetterSink {
    const sum = (of: 'size' | 'delivered'): number =>
      [...this.#audiences.values()].reduce((all, { channels }) => all + channels[side][of], 0);
    const retired = this.#retired;
    const historyBytes = (): number =>
      side === 0 ? (this.#history?.bytes ?? 0) + this.#earlyBytes + this.played.bytes : 0;
    return {
      get historyBytes() {
        return historyBytes();
      },
      get subscribers() {
        return sum('size');
      },
      get delivered() {
        return retired[side] + sum('delivered');
      },
      begun: () => {
        this.#began[side] ??= startOf(this.#options.feeds[side]);
        this.#beginIfKnown();
      },
      accept: (deadLetter) => {
        if (this.#history === undefined) this.#keep({ side, deadLetter });
        else this.#deliver(this.#history, { side, deadLetter });
      },
      flush: () => this.#flush([side]),
      end: (error) => this.end(error),
    };
  }

  #beginIfKnown(): void {
    const [ofTopic, ofDeadLetterTopic] = this.#began;
    if (this.#history !== undefined || !ofTopic || !ofDeadLetterTopic) return;
    const next = deadLetterOffsets(ofTopic, ofDeadLetterTopic);
    const history = new History<LanedDeadLetter>({
      order: 'ARRIVAL',
      maxBytes: this.#options.historyBytes,
      start: { key: null, next, lowest: next },
      recordOf: ({ lane, deadLetter }) => ({ id: null, lane, offset: lastOffsetOf(deadLetter) }),
      bytesOf: ({ deadLetter }) => bytesOf(deadLetter),
      epochs: () => this.#epochs,
    });
    this.#history = history;
    for (const early of this.#early) this.#deliver(history, early);
    this.#early = [];
    // In one turn: a part of it would end where the other has already been.
    this.#flush([0, 1]);
  }

  /** Until the other feed has begun. It is the cluster that keeps it from that, so there is no use in waiting on. */
  #keep(early: Early): void {
    if (this.#audiences.size === 0) {
      const { partition } = early.deadLetter;
      // Nobody waits for it; but who comes back to before it must not be told that nothing was there.
      this.#began[early.side]?.set(partition, lastOffsetOf(early.deadLetter) + 1);
      return;
    }
    this.#early.push(early);
    this.#earlyBytes += bytesOf(early.deadLetter);
    if (this.#earlyBytes <= this.#options.historyBytes) return;
    this.#early = [];
    this.end(new MillraceError('KAFKA_UNAVAILABLE', 'one of the two topics cannot be read'));
  }

  #deliver(history: History<LanedDeadLetter>, { side, deadLetter }: Early): void {
    const { partition, offset, recordedAtMs } = deadLetter;
    const lane = deadLetterLane(partition, side === 1);
    const message = history.emitted({ lane, deadLetter }, false, null);
    const source = { partition, offset, recordedAtMs, payload: undefined };
    for (const audience of this.#audiences.values()) {
      audience.channels[side].accept(messageOf(audience, message), source);
    }
  }

  #flush(sides: readonly (0 | 1)[]): void {
    const history = this.#history;
    if (history === undefined) return;
    const [ofTopic, ofDeadLetterTopic] = this.#options.feeds;
    const next = deadLetterOffsets(ofTopic.passed, ofDeadLetterTopic.passed);
    const before = history.position;
    history.mark({ key: null, next, lowest: next, epochs: this.#epochs });
    const turn = { before, after: history.position };
    for (const side of sides) {
      const { passed } = this.#options.feeds[side];
      for (const { channels } of this.#audiences.values()) channels[side].flush(turn, () => passed);
    }
    this.tellTurn();
  }

  /** Of both feeds, by lane; the same array while theirs are the same. */
  get #epochs(): LeaderEpochs {
    const [ofTopic, ofDeadLetterTopic] = this.#options.feeds.map(({ lineage }) => lineage.epochs);
    const known = this.#lastEpochs;
    if (
      known !== undefined &&
      known.ofTopic === ofTopic &&
      known.ofDeadLetterTopic === ofDeadLetterTopic
    ) {
      return known.both;
    }
    const both: (number | null)[] = [];
    for (const [side, epochs] of [ofTopic ?? [], ofDeadLetterTopic ?? []].entries()) {
      for (const [partition, epoch] of epochs.entries()) {
        const lane = deadLetterLane(partition, side === 1);
        while (both.length <= lane) both.push(null);
        both[lane] = epoch;
      }
    }
    this.#lastEpochs = { ofTopic, ofDeadLetterTopic, both };
    return both;
  }

  #audienceOf(subscriber: StreamSubscriber): Audience {
    const key = keyOf(subscriber);
    const audience = this.#audiences.get(key) ?? this.#openAudience(subscriber);
    this.#audiences.set(key, audience);
    return audience;
  }

  #openAudience(subscriber: StreamSubscriber): Audience {
    return {
      subscriber,
      cursors: this.cursorsOf(subscriber.projectId),
      channels: [this.#openChannel(), this.#openChannel()],
    };
  }

  #openChannel(): DeadLetterChannel {
    const [{ isOfPast }] = this.#options.feeds;
    return new Channel(() => new SingleGroup<DeadLetterMessage>(isOfPast));
  }

  /** Anybody may make up names that lead to the same topic. */
  #forgetIfEmpty({ subscriber, channels }: Audience): void {
    const key = keyOf(subscriber);
    if (this.#audiences.get(key)?.channels !== channels) return;
    const [ofTopic, ofDeadLetterTopic] = channels;
    if (ofTopic.size > 0 || ofDeadLetterTopic.size > 0) return;
    this.#retired[0] += ofTopic.delivered;
    this.#retired[1] += ofDeadLetterTopic.delivered;
    this.#audiences.delete(key);
  }
}

function messageOf(
  { subscriber, cursors }: Audience,
  { item, position }: StreamMessage<LanedDeadLetter>,
): DeadLetterMessage {
  const place = { position, encode: cursors.encode };
  return new DeadLetterMessage(subscriber.topic, item.deadLetter, place);
}

/** A copy: where the feed stands changes. */
function startOf({ hasBegun, passed }: Feed): Map<number, number> | undefined {
  return hasBegun ? new Map(passed) : undefined;
}

/** Whoever goes on behind a dead letter that stands for several records goes on behind all of them. */
function lastOffsetOf({ offset, lastOffset = offset }: DeadLetter): number {
  return lastOffset;
}

function bytesOf({ event, error }: DeadLetter): number {
  return event.length + error.length;
}
