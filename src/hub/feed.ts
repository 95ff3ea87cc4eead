import type { Clock, Timer } from '../core/clock.ts';
import type { DeadLetter, Event } from '../decode/event.ts';
import { backoffMs } from '../kafka/backoff.ts';
import {
  type KafkaClient,
  KafkaError,
  type RawRecord,
  type ReaderStatus,
  type RecordBatch,
  type TopicReader,
} from '../kafka/port.ts';
import { findStart, type Start, type StartPoint } from './feed-start.ts';
import type { EventFilter } from './filter.ts';
import { refusalOf } from './kafka-refusal.ts';
import type { DeadLetterMessage, EventMessage } from './message.ts';
import { Stream, type StreamKey } from './stream.ts';
import type { Subscription } from './subscription.ts';
import type { TopicSettings } from './topic-settings.ts';

/** What a feed reads and for whom. */
export interface FeedOptions {
  readonly client: KafkaClient;
  /** The name that subscribers know the topic by. */
  readonly topic: string;
  readonly kafkaTopic: string;
  readonly start: StartPoint;
  readonly decode: (partition: number, record: RawRecord) => Event | DeadLetter;
  readonly settings: TopicSettings;
  /** Key of the digests of event ids. */
  readonly idKey: Uint8Array;
  readonly clock: Clock;
  /**
   * What to do about a topic that does not exist: `refuse` the subscribers, or `wait` until it comes
   * (a dead-letter topic may be created with its first dead letter).
   */
  readonly whenMissing: 'refuse' | 'wait';
  /** How long a stream that nobody listens to is kept for the next subscriber, in milliseconds. */
  readonly lingerMs: number;
  /** Called once, when the feed has come to its end by itself. */
  readonly onFailed: () => void;
}

export type FeedState = 'STARTING' | 'RUNNING' | 'DEGRADED' | 'FAILED';

/** What a feed has done so far; of all its streams together. */
export interface FeedCounts {
  readonly state: FeedState;
  readonly subscribers: number;
  readonly received: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly late: number;
  readonly held: number;
  readonly lag: number;
}

/** Longest wait of a fetch while nothing is held, in milliseconds. */
const relaxedWaitMs = 500;
/**
 * Longest wait of a fetch while events are held: an empty answer is what lets them go, so this is the
 * most that a quiet partition adds to the lateness.
 */
const eagerWaitMs = 50;
/** How often a missing topic that may yet come is looked for, in milliseconds. */
const missingRecheckMs = 10_000;
/** How often held events are looked at when no answers come, in milliseconds. */
const stallCheckMs = 1_000;

/**
 * One Kafka topic, read once for all who subscribe to it with the same login: the reader, the
 * decoder, and one stream for each order that is asked for.
 *
 * It begins to look for its start when it is made; subscriptions may be added from then on. While the
 * cluster cannot be reached it keeps trying, and its subscriptions stay open.
 */
export class Feed {
  /** Resolves when reading begins; rejects with the `MillraceError` that ended the feed before. */
  readonly started: Promise<void>;
  readonly #options: FeedOptions;
  readonly #streams = new Map<string, Stream>();
  readonly #deadLetterSubscriptions = new Set<Subscription<DeadLetterMessage>>();
  /** Next offset of each partition. */
  readonly #next = new Map<number, number>();
  readonly #highWatermarks = new Map<number, number>();
  readonly #paused = new Set<number>();
  readonly #closing = new AbortController();
  #start: Start | undefined;
  #reader: TopicReader | undefined;
  #status: ReaderStatus = { state: 'starting' };
  #received = 0;
  #deliveredDeadLetters = 0;
  #stallCheck: Timer | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.started = this.#open();
    // Whoever subscribes looks at `started`; a feed that fails with nobody looking is no fault.
    this.started.catch(() => undefined);
  }

  get kafkaTopic(): string {
    return this.#options.kafkaTopic;
  }

  get subscribers(): number {
    let subscribers = this.#deadLetterSubscriptions.size;
    for (const stream of this.#streams.values()) subscribers += stream.subscribers;
    return subscribers;
  }

  get counts(): FeedCounts {
    let [delivered, duplicates, late, held, lag] = [this.#deliveredDeadLetters, 0, 0, 0, 0];
    for (const stream of this.#streams.values()) {
      delivered += stream.delivered;
      duplicates += stream.sequencer.counters.duplicates;
      late += stream.sequencer.counters.late;
      held += stream.sequencer.held;
    }
    for (const [partition, end] of this.#highWatermarks) {
      lag += Math.max(0, end - (this.#next.get(partition) ?? 0));
    }
    const { subscribers } = this;
    const received = this.#received;
    return { state: this.state, subscribers, received, delivered, duplicates, late, held, lag };
  }

  get state(): FeedState {
    switch (this.#status.state) {
      case 'starting':
        return 'STARTING';
      case 'running':
        return 'RUNNING';
      case 'degraded':
        return 'DEGRADED';
      case 'failed':
        return 'FAILED';
    }
  }

  /** Answers the function that takes the subscription out again. */
  addEvents(
    subscription: Subscription<EventMessage>,
    key: StreamKey,
    filter: EventFilter | undefined,
  ): () => void {
    const name = `${key.order} ${key.deduplicate}`;
    const stream = this.#streams.get(name) ?? this.#openStream(name, key);
    stream.add(subscription, filter);
    return () => {
      stream.remove(subscription);
      if (stream.subscribers === 0) this.#retire(name, stream);
    };
  }

  /** Answers the function that takes the subscription out again. */
  addDeadLetters(subscription: Subscription<DeadLetterMessage>): () => void {
    this.#deadLetterSubscriptions.add(subscription);
    return () => {
      this.#deadLetterSubscriptions.delete(subscription);
    };
  }

  /** Stops reading for a while: only a feed with a single subscriber may be held up by it. */
  pause(): void {
    this.#reader?.pause(this.#next.keys());
  }

  resume(): void {
    const held = this.#paused;
    this.#reader?.resume([...this.#next.keys()].filter((partition) => !held.has(partition)));
  }

  /** Stops reading and ends what subscriptions are left. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#stallCheck?.cancel();
    this.#endSubscriptions(undefined);
    await this.#reader?.close();
  }

  async #open(): Promise<void> {
    const { client, kafkaTopic, start, clock, whenMissing } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        const found = await findStart(client, kafkaTopic, start, () => clock.now());
        if (!this.#closing.signal.aborted) this.#read(found);
        return;
      } catch (cause) {
        if (!(cause instanceof KafkaError)) throw this.#fail(cause);
        const missing = cause.code === 'TOPIC_NOT_FOUND' && whenMissing === 'wait';
        if (!missing && cause.code !== 'UNAVAILABLE') throw this.#fail(cause);
        if (!missing) this.#status = { state: 'degraded', error: cause, partitions: [] };
        await this.#pauseFor(missing ? missingRecheckMs : backoffMs(failures));
        if (this.#closing.signal.aborted) return;
      }
    }
  }

  /** Waits; ends early when the feed is closed. */
  #pauseFor(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.schedule(delayMs, resolve);
    const stop = (): void => {
      timer.cancel();
      resolve();
    };
    this.#closing.signal.addEventListener('abort', stop, { once: true });
    return promise.finally(() => this.#closing.signal.removeEventListener('abort', stop));
  }

  #read(start: Start): void {
    this.#start = start;
    for (const [partition, offset] of start.offsets) this.#addPartition(partition, offset);
    this.#reader = this.#options.client.openReader({
      topic: this.#options.kafkaTopic,
      start: start.offsets,
      onBatches: (batches) => this.#ingest(batches),
      onStatus: (status) => this.#onStatus(status),
      maxWaitMs: () => this.#maxWaitMs(),
    });
  }

  #onStatus(status: ReaderStatus): void {
    this.#status = status;
    if (status.state === 'failed') this.#fail(status.error);
  }

  /** Ends the feed and all who listen to it; answers the error that they were told. */
  #fail(cause: unknown): Error {
    const error =
      cause instanceof KafkaError ? refusalOf(cause, this.#options.topic) : asError(cause);
    const reason =
      cause instanceof KafkaError ? cause : new KafkaError('UNAVAILABLE', error.message, { cause });
    this.#status = { state: 'failed', error: reason };
    this.#stallCheck?.cancel();
    this.#endSubscriptions(error);
    this.#options.onFailed();
    return error;
  }

  #endSubscriptions(error: Error | undefined): void {
    for (const stream of this.#streams.values()) stream.end(error);
    for (const subscription of this.#deadLetterSubscriptions) subscription.end(error);
  }

  #addPartition(partition: number, offset: number): void {
    this.#next.set(partition, offset);
    for (const { sequencer } of this.#streams.values()) sequencer.addPartition(partition, offset);
  }

  #openStream(name: string, key: StreamKey): Stream {
    const { settings, clock, idKey, topic } = this.#options;
    const stream = new Stream(topic, { ...settings, ...key, clock, idKey });
    for (const [partition, offset] of this.#next) stream.sequencer.addPartition(partition, offset);
    this.#streams.set(name, stream);
    return stream;
  }

  #retire(name: string, stream: Stream): void {
    this.#options.clock.schedule(this.#options.lingerMs, () => {
      if (stream.subscribers === 0 && this.#streams.get(name) === stream) {
        this.#streams.delete(name);
      }
    });
  }

  /** One answer of a broker: decode each record once, then let every stream release what is due. */
  #ingest(batches: readonly RecordBatch[]): void {
    const streams = [...this.#streams.values()];
    const nowMs = this.#options.clock.now();
    for (const batch of batches) {
      const { partition, nextOffset, highWatermark } = batch;
      if (!this.#next.has(partition)) {
        this.#addPartition(partition, batch.records[0]?.offset ?? nextOffset);
      }
      for (const record of batch.records) this.#ingestRecord(partition, record, streams);
      for (const range of batch.unreadable ?? []) this.#reportUnreadable(partition, range, nowMs);
      this.#next.set(partition, nextOffset);
      this.#highWatermarks.set(partition, highWatermark);
      const caughtUp = nextOffset >= highWatermark;
      for (const { sequencer } of streams) {
        sequencer.advance(partition, nextOffset);
        if (caughtUp) sequencer.caughtUp(partition, nowMs);
      }
    }
    for (const { sequencer } of streams) sequencer.release();
    this.#balance(streams);
    this.#watchForStall(streams);
  }

  #ingestRecord(partition: number, record: RawRecord, streams: readonly Stream[]): void {
    if (this.#start?.precedes(partition, record)) return;
    this.#received += 1;
    const decoded = this.#options.decode(partition, record);
    if (decoded.kind === 'event') {
      for (const { sequencer } of streams) sequencer.ingest(decoded);
    } else {
      this.#deliverDeadLetter(decoded);
    }
  }

  #reportUnreadable(
    partition: number,
    range: { from: number; to: number; reason: string },
    recordedAtMs: number,
  ): void {
    this.#deliverDeadLetter({
      kind: 'deadLetter',
      event: '',
      error: `offsets ${range.from} to ${range.to - 1} cannot be read: ${range.reason}`,
      source: 'BRIDGE',
      partition,
      offset: range.from,
      recordedAtMs,
    });
  }

  #deliverDeadLetter(deadLetter: DeadLetter): void {
    const message: DeadLetterMessage = { topic: this.#options.topic, deadLetter };
    const bytes = deadLetter.event.length + deadLetter.error.length;
    for (const subscription of this.#deadLetterSubscriptions) {
      this.#deliveredDeadLetters += 1;
      subscription.offer(message, bytes);
    }
  }

  #maxWaitMs(): number {
    for (const { sequencer } of this.#streams.values()) if (sequencer.held > 0) return eagerWaitMs;
    return Math.min(relaxedWaitMs, Math.max(eagerWaitMs, this.#options.settings.latenessMs / 2));
  }

  /**
   * Keeps the ordering buffers small while the log is read faster than the slowest partition allows:
   * the partitions that are ahead wait. The one that the others wait for is never paused.
   */
  #balance(streams: readonly Stream[]): void {
    const ahead = new Set<number>();
    for (const { sequencer } of streams) {
      if (sequencer.heldBytes <= this.#options.settings.maxHeldBytes / 2) continue;
      for (const partition of sequencer.partitionsAhead()) ahead.add(partition);
    }
    const resumed = [...this.#paused].filter((partition) => !ahead.has(partition));
    const paused = [...ahead].filter((partition) => !this.#paused.has(partition));
    for (const partition of resumed) this.#paused.delete(partition);
    for (const partition of paused) this.#paused.add(partition);
    if (resumed.length > 0) this.#reader?.resume(resumed);
    if (paused.length > 0) this.#reader?.pause(paused);
  }

  /** Without answers nobody would look at the buffers: a stalled partition must not hold them for ever. */
  #watchForStall(streams: readonly Stream[]): void {
    this.#stallCheck?.cancel();
    if (!streams.some(({ sequencer }) => sequencer.held > 0)) return;
    this.#stallCheck = this.#options.clock.schedule(stallCheckMs, () => {
      for (const { sequencer } of streams) sequencer.release();
      this.#watchForStall(streams);
    });
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
