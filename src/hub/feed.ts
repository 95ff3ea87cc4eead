import type { Clock } from '../core/clock.ts';
import { type LostRange, MillraceError } from '../core/errors.ts';
import type { Turns } from '../core/turns.ts';
import { backoffMs } from '../kafka/backoff.ts';
import {
  type KafkaClient,
  KafkaError,
  type PartitionOffsets,
  type ReaderStatus,
  type RecordBatch,
  type TopicReader,
} from '../kafka/port.ts';
import { findStart, logTruncated, type Start, type StartPoint } from './feed-start.ts';
import { Balance } from './balance.ts';
import { offsetsOf, type StreamPosition } from './cursor/stream-position.ts';
import { Cursors } from './cursors.ts';
import type { DeadLetterSink } from './dead-letters/dead-letter-sink.ts';
import { DeadLetterSinks } from './dead-letters/dead-letter-sinks.ts';
import type { FeedCounts, FeedMemory, FeedState } from './feed-counts.ts';
import { FeedHealth, type FeedHealthOptions } from './feed-health.ts';
import { Lineage } from './lineage.ts';
import type { JoinPoint } from './join-point.ts';
import { JoinPoints } from './join-points.ts';
import type { RefusalOf } from './kafka-refusal.ts';
import type { KeepingBounds } from './keeping.ts';
import { pauseFor } from './pause.ts';
import { ReadProgress } from './read-progress.ts';
import { type Decode, RecordIntake } from './record-intake.ts';
import type { SharedKeys } from './shared-keys.ts';
import { StallWatch } from './stall-watch.ts';
import type { Stream, StreamKey, StreamStart } from './stream.ts';
import { Streams } from './streams.ts';
import type { TopicSettings } from './topic-settings.ts';

/** What a feed reads and for whom. */
export interface FeedOptions extends FeedHealthOptions {
  readonly client: KafkaClient;
  /** The name that the first subscriber knows the topic by, for errors. */
  readonly topic: string;
  /** Whose topic it is; `null`: that of several projects together. */
  readonly projectId: string | null;
  readonly start: StartPoint;
  /** Makes what its records are decoded with: once for a feed, as it takes some memory. */
  readonly openDecoder: (settings: TopicSettings) => Decode;
  readonly settings: TopicSettings;
  readonly keys: SharedKeys;
  /** How much each stream remembers of what it delivered, in bytes. */
  readonly historyBytes: number;
  /** How much is kept for batches and intervals. */
  readonly keeping: KeepingBounds;
  /** Most records that are read at the start for their ids only. */
  readonly maxWarmUpRecords: number;
  /** Whether it is a dead-letter topic. */
  readonly holds: FeedContent;
  readonly refusalOf: RefusalOf;
  readonly clock: Clock;
  /**
   * What to do about a topic that does not exist: `refuse` the subscribers, or `wait` until it comes
   * (a dead-letter topic may be created with its first dead letter).
   */
  readonly whenMissing: 'refuse' | 'wait';
  /** How long a stream that nobody listens to is kept for the next subscriber, in milliseconds. */
  readonly lingerMs: number;
  /** Of those that read the past: so long as they are many, the others come between. @default turns of its own */
  readonly turns?: Turns | undefined;
  /** Called once, when the feed has come to its end by itself. `began`: it had found where to read. */
  readonly onFailed: (began: boolean) => void;
}

/** What `decode` takes the records for. A topic may be read as both, by two feeds. */
export type FeedContent = 'events' | 'deadLetters';

/** Longest wait of a fetch while nothing is held, in milliseconds. */
const relaxedWaitMs = 500;
/**
 * Longest wait of a fetch while events are held: an empty answer is what lets them go, so this is the
 * most that a quiet partition adds to the lateness.
 */
const eagerWaitMs = 50;
/** How old an answer may be that is to show the end of the log, in milliseconds. */
const freshForMs = 1_000;
/** How often a missing topic that may yet come is looked for, in milliseconds. */
const missingRecheckMs = 10_000;

/**
 * One Kafka topic, read once for all who subscribe to it with the same login: the reader, the
 * decoder, and one stream for each order that is asked for.
 *
 * It begins to look for its start when it is made; subscriptions may be added from then on. While the
 * cluster cannot be reached it keeps trying, and its subscriptions stay open.
 */
export class Feed {
  /**
   * Resolves when it is known where reading begins, or that the topic is yet to come (all of it is then
   * to be read); rejects with the `MillraceError` that ended the feed before.
   */
  readonly started: Promise<void>;
  readonly #options: FeedOptions;
  readonly #intake: RecordIntake;
  readonly #streams: Streams;
  /** By stream and project: of those that somebody was let in for, as nobody can make them up. */
  readonly #cursors = new Map<string, Cursors>();
  readonly #deadLetters = new DeadLetterSinks();
  readonly #progress = new ReadProgress();
  readonly #joins: JoinPoints;
  readonly #health: FeedHealth;
  #topicIds: readonly [string | null] = [null];
  readonly #lineage: Lineage;
  readonly #balance: Balance;
  /** Held up by its one subscriber: nothing is read. */
  #heldUp = false;
  /** Resolves when it is no longer held up; undefined: nobody waits for that. */
  #goOn: PromiseWithResolvers<void> | undefined;
  readonly #closing = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  #reader: TopicReader | undefined;
  /** The topic does not exist yet. */
  #isAwaited = false;
  readonly #stallWatch: StallWatch;

  constructor(options: FeedOptions) {
    this.#options = options;
    const { start, settings, holds, clock, keys, lingerMs, historyBytes, keeping } = options;
    this.#health = new FeedHealth(options);
    this.#joins = new JoinPoints(start);
    this.#intake = new RecordIntake({
      decode: options.openDecoder(settings),
      progress: this.#progress,
      joins: this.#joins,
      onDeadLetter: (deadLetter) => this.#deadLetters.accept(deadLetter),
      clock,
    });
    this.#stallWatch = new StallWatch({
      clock,
      maxStallMs: settings.maxStallMs,
      isNeeded: () => !this.#closed && !this.#heldUp && this.#streams.holdsSome,
      look: () => {
        for (const stream of this.#streams) stream.release();
        this.#balance.probe();
      },
    });
    this.#lineage = new Lineage(start.at === 'position' ? start.position.epochs : undefined);
    this.#streams = new Streams({
      ...settings,
      lineage: this.#lineage,
      clock,
      lingerMs,
      historyBytes,
      keeping,
      idKey: () => keys.idKey,
      cursorsOf: (projectId, key) => this.cursorsOf(projectId, key),
      isOfPast: this.isOfPast,
      // A reader of the past serves those alone who are alike, from its start.
      keepsIds: holds === 'events' && start.at !== 'position' && settings.dedupWindowMs > 0,
    });
    this.#balance = new Balance({
      maxHeldBytes: settings.maxHeldBytes,
      pause: (partitions) => this.#reader?.pause(partitions),
      resume: (partitions) => {
        if (!this.#heldUp) this.#reader?.resume(partitions);
      },
    });
    this.started = this.#begun.promise;
    // Whoever subscribes looks at `started`; a feed that fails with nobody looking is no fault.
    this.started.catch(() => undefined);
    void this.#open();
  }

  get kafkaTopic(): string {
    return this.#options.kafkaTopic;
  }

  /** See `FeedOptions.projectId`. */
  get projectId(): string | null {
    return this.#options.projectId;
  }

  /** Whether it reads what was recorded before its subscribers asked. */
  get isOfPast(): boolean {
    return this.#options.start.at !== 'acceptance';
  }

  get memory(): FeedMemory {
    let [heldBytes, bytes, coveredMs] = [0, 0, Number.POSITIVE_INFINITY];
    let { historyBytes } = this.#deadLetters;
    for (const stream of this.#streams) {
      historyBytes += stream.historyBytes;
      if (!stream.hasBegun) continue;
      const { sequencer, dropsCopies } = stream;
      heldBytes += sequencer.heldBytes;
      if (!dropsCopies) continue;
      bytes += sequencer.dedup.bytes;
      coveredMs = Math.min(coveredMs, sequencer.dedup.coveredMs);
    }
    const dedup = Number.isFinite(coveredMs) ? { bytes, coveredMs } : undefined;
    return { heldBytes, historyBytes, dedup };
  }

  get subscribers(): number {
    return this.counts.subscribers;
  }

  get counts(): FeedCounts {
    const { delivered, subscribers, ...streams } = this.#streams.counts;
    return {
      ...streams,
      state: this.state,
      subscribers: subscribers + this.#deadLetters.subscribers,
      received: this.#intake.received,
      delivered: delivered + this.#deadLetters.delivered,
      lag: this.#progress.lag,
    };
  }

  get state(): FeedState {
    return this.#health.state;
  }

  /** Where reading stands, by partition. */
  get next(): PartitionOffsets {
    return this.#progress.next;
  }

  /** All that the log had has been read once, or the topic is yet to come. */
  get hasCaughtUp(): boolean {
    return this.#progress.hasCaughtUp || this.#isAwaited;
  }

  /** Under which leaders it has read. */
  get lineage(): Lineage {
    return this.#lineage;
  }

  /** Below these offsets nothing more is handed out. */
  get passed(): PartitionOffsets {
    return this.#progress.passed;
  }

  /** It is known where reading begins, or that the topic is yet to come. */
  get hasBegun(): boolean {
    return this.#began || this.#isAwaited;
  }

  /** The cluster's id of the topic, as of the start; `null`: not known. */
  get topicId(): string | null {
    return this.#topicIds[0];
  }

  /** Whether the log is known to reach as far as a position; it may have been cut off. */
  holds(position: StreamPosition): boolean {
    return this.#progress.holds(position);
  }

  /** The cursors of a project on one of the feed's streams. */
  cursorsOf(projectId: string, { order, deduplicate }: StreamKey): Cursors {
    const { keys, kafkaTopic, settings } = this.#options;
    const name = `${order} ${deduplicate} ${projectId}`;
    let cursors = this.#cursors.get(name);
    if (cursors === undefined) {
      const stream = { kind: 'events', order, deduplicate, settings } as const;
      cursors = new Cursors({
        key: () => keys.cursorKey,
        binding: { projectId, kafkaTopic, stream },
        topicIds: () => this.#topicIds,
      });
      this.#cursors.set(name, cursors);
    }
    return cursors;
  }

  /** The stream of a key, kept until it is released. */
  useStream(key: StreamKey): Stream {
    return this.#streams.use(key, () => this.#startOfNewStream());
  }

  /** Once for each `useStream`. */
  releaseStream(stream: Stream): void {
    this.#streams.release(stream);
  }

  /** The stream of a key, if somebody uses it. */
  stream(key: StreamKey): Stream | undefined {
    return this.#streams.get(key);
  }

  /** From here on the sink gets the dead letters. @returns ends that */
  addDeadLetterSink(sink: DeadLetterSink): () => void {
    return this.#deadLetters.add(sink);
  }

  /** Stops reading for a while: only a feed with a single subscriber may be held up by it. */
  pause(): void {
    this.#heldUp = true;
    // The silence is our own: it proves nothing about any partition.
    this.#stallWatch.stop();
    this.#reader?.pause(this.next.keys());
  }

  resume(): void {
    this.#heldUp = false;
    this.#goOn?.resolve();
    this.#goOn = undefined;
    this.#reader?.resume([...this.next.keys()].filter((id) => !this.#balance.isWaiting(id)));
    this.#stallWatch.restart();
  }

  /** Stops reading and ends what subscriptions are left. */
  async close(): Promise<void> {
    this.#stop();
    this.#endSubscriptions(undefined);
    this.#begun.resolve();
    await this.#reader?.close();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Nothing is read or timed any more. */
  #stop(): void {
    this.#closing.abort();
    this.#goOn?.resolve();
    this.#stallWatch.stop();
    this.#streams.close();
  }

  /** Never rejects: see `started`. */
  async #open(): Promise<void> {
    const { client, kafkaTopic, clock, keys, settings, holds, whenMissing } = this.#options;
    const { maxWarmUpRecords } = this.#options;
    const dedupWindowMs = holds === 'events' ? settings.dedupWindowMs : 0;
    let { start } = this.#options;
    for (let failures = 1; !this.#closed; failures += 1) {
      try {
        const found = await findStart(
          {
            client,
            topic: kafkaTopic,
            clock,
            // Asked for when it is known who subscribes.
            dedupWindowMs: () => (this.#streams.prepareIds() ? dedupWindowMs : 0),
            maxWarmUpRecords,
          },
          start,
        );
        await keys.learn(client);
        if (this.#closed) return;
        this.#read(found);
        this.#begun.resolve();
        return;
      } catch (cause) {
        if (this.#closed) return;
        const isKafkas = cause instanceof KafkaError;
        if (isKafkas && cause.code === 'TOPIC_NOT_FOUND' && whenMissing === 'wait') {
          // Whatever will be in it is recorded after this.
          if (start.at === 'acceptance') start = { at: 'beginning' };
          this.#health.become({ state: 'starting' });
          this.#isAwaited = true;
          this.#deadLetters.begun();
          this.#begun.resolve();
          await pauseFor(clock, missingRecheckMs, this.#closing.signal);
        } else if (isKafkas && cause.code === 'UNAVAILABLE') {
          this.#health.become({ state: 'degraded', error: cause, partitions: [] });
          await pauseFor(clock, backoffMs(failures), this.#closing.signal);
        } else {
          this.#fail(cause);
          return;
        }
      }
    }
  }

  #read(start: Start): void {
    const { turns } = this.#options;
    this.#joins.begin(start);
    this.#topicIds = [start.topicId];
    this.#progress.begin(start);
    this.#streams.begin(this.#streamStart(start));
    const reader = this.#options.client.openReader({
      topic: this.#options.kafkaTopic,
      start: start.readFrom,
      startEpochs: this.#startEpochs(),
      onBatches: (batches) => this.#onBatches(batches),
      onStatus: (status) => this.#onStatus(status),
      maxWaitMs: () => this.#maxWaitMs(),
      ...(turns === undefined ? {} : { turn: () => this.#turnOfPast(turns) }),
    });
    this.#reader = reader;
    this.#deadLetters.begun();
    // By what another feed of its subscriber delivered, before this one could read.
    if (this.#heldUp) reader.pause(this.next.keys());
    // Failed at once: nobody could close it then.
    if (this.#closed) void reader.close();
  }

  /** While it is held up, what is left of an answer waits as well. */
  async #turnOfPast(turns: Turns): Promise<void> {
    while (this.#heldUp && !this.#closed) {
      this.#goOn ??= Promise.withResolvers<void>();
      await this.#goOn.promise;
    }
    await turns.next();
  }

  #onBatches(batches: readonly RecordBatch[]): void {
    if (this.#closed) return;
    try {
      this.#ingest(batches);
    } catch (cause) {
      // A fault of ours. To go on would lose records; subscribers can start again on a new feed.
      this.#fail(cause);
    }
  }

  #onStatus(status: ReaderStatus): void {
    if (this.#closed) return;
    if (status.state === 'failed') this.#fail(status.error);
    else this.#health.become(status);
  }

  get #began(): boolean {
    return this.#reader !== undefined;
  }

  /** Ends the feed and all who listen to it. */
  #fail(cause: unknown): void {
    if (this.#closed) return;
    const error =
      cause instanceof KafkaError
        ? this.#options.refusalOf(cause, this.#options.topic, this.next)
        : asError(cause);
    const reason =
      cause instanceof KafkaError ? cause : new KafkaError('UNAVAILABLE', error.message, { cause });
    // That the log no longer holds what follows a position is said to whoever asked for it.
    if (cause instanceof MillraceError) this.#health.refused(reason);
    else {
      const code = cause instanceof KafkaError ? cause.code : 'INTERNAL';
      this.#health.failed(code, reason, this.#began);
    }
    this.#stop();
    this.#begun.reject(error);
    this.#endSubscriptions(error);
    this.#options.onFailed(this.#began);
  }

  #endSubscriptions(error: Error | undefined): void {
    this.#streams.end(error);
    this.#deadLetters.end(error);
  }

  #streamStart({ offsets, readFrom }: Start): StreamStart {
    const { start } = this.#options;
    if (start.at === 'position') {
      const { position, isShared } = start;
      // For several positions V is where reading begins: see `earlierOf`.
      return {
        position: isShared ? { ...position, lowest: offsetsOf(readFrom) } : position,
        readFrom,
      };
    }
    const next = offsetsOf(offsets);
    return { position: { key: null, next, lowest: next }, readFrom };
  }

  /**
   * Of one that is asked for while others run: it begins where reading stands, or where it is to come before
   * anything is delivered.
   */
  #startOfNewStream(): StreamStart | undefined {
    if (this.#reader === undefined) return undefined;
    const readFrom = new Map(this.next);
    const next = offsetsOf(this.passed);
    return { position: { key: null, next, lowest: next }, readFrom };
  }

  #addPartition(partition: number, offset: number): void {
    this.#progress.addPartition(partition, offset);
    this.#streams.addPartition(partition, offset);
    if (this.#heldUp) this.#reader?.pause([partition]);
  }

  /** Where a subscription joins that is accepted now. */
  joinPoint(): JoinPoint | undefined {
    const read = this.#reader === undefined ? undefined : this.#progress;
    return this.#joins.now(read, this.#options.clock.now());
  }

  /** One answer of a broker: decode each record once, then let every stream release what is due. */
  #ingest(batches: readonly RecordBatch[]): void {
    const streams = [...this.#streams];
    const nowMs = this.#options.clock.now();
    this.#joins.forgetRecorded();
    // Before anything is emitted: no cursor may bear an older epoch than what lies below it.
    for (const { partition, nextOffset, epochs = [] } of batches) {
      this.#lineage.read(partition, epochs, nextOffset >= this.#beginOf(partition));
    }
    const lost = this.#lostOfStart();
    if (lost.length > 0) throw logTruncated(lost);
    for (const batch of batches) {
      const { partition, nextOffset, highWatermark, ageMs = 0 } = batch;
      if (!this.next.has(partition)) {
        this.#addPartition(partition, batch.records[0]?.offset ?? nextOffset);
      }
      this.#intake.take(batch, (events) => {
        for (const { sequencer } of streams) sequencer.ingestBatch(partition, events);
      });
      this.#progress.advance(partition, nextOffset, highWatermark);
      const caughtUp = nextOffset >= highWatermark;
      for (const { sequencer } of streams) {
        sequencer.advance(partition, nextOffset);
        // An answer may have waited for as long as the feed was held up: it says nothing about what came since.
        if (caughtUp) sequencer.caughtUp(partition, nowMs - ageMs);
      }
    }
    if (batches.every(({ ageMs = 0 }) => ageMs < freshForMs)) this.#progress.lookForEnd();
    for (const stream of streams) stream.release();
    this.#deadLetters.flush();
    this.#balance.adjust(streams.map(({ sequencer }) => sequencer));
    this.#stallWatch.restart();
  }

  /** What had been read where it begins, and is not in the log that it reads again from before that. */
  #lostOfStart(): LostRange[] {
    const { start } = this.#options;
    return start.at === 'position' ? this.#lineage.lostOf(start.position) : [];
  }

  /** From which offset on the streams have something new. */
  #beginOf(partition: number): number {
    const { start } = this.#options;
    const from = this.#progress.fromOf(partition);
    return start.at === 'position' ? Math.max(from, start.position.next[partition] ?? 0) : from;
  }

  /** By which the brokers tell whether the log was cut off below where reading begins. */
  #startEpochs(): Map<number, number> {
    const epochs = new Map<number, number>();
    for (const [partition, epoch] of this.#lineage.epochs.entries()) {
      if (epoch !== null) epochs.set(partition, epoch);
    }
    return epochs;
  }

  #maxWaitMs(): number {
    if (this.#streams.holdsSome) return eagerWaitMs;
    return Math.min(relaxedWaitMs, Math.max(eagerWaitMs, this.#options.settings.latenessMs / 2));
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
