import type { Timer } from '../../core/clock.ts';
import type { LostRange } from '../../core/errors.ts';
import {
  KafkaError,
  type ReaderOptions,
  type ReaderStatus,
  type RecordBatch,
  type TopicReader,
} from '../port.ts';
import { ReaderStatusLine } from '../reader-status.ts';
import {
  lostRange,
  missingTopicGraceMs,
  noLeader,
  offsetOutOfRange,
  topicRecreated,
} from '../topic-errors.ts';
import type { EmbeddedLog, EmbeddedTopic } from './log.ts';
import type { PartitionLog } from './partition-log.ts';
import { Wakeup } from '../wakeup.ts';

/** What one fetch of all partitions brought. */
interface Answer {
  readonly batches: readonly RecordBatch[];
  readonly leaderless: readonly number[];
  readonly outOfRange: readonly LostRange[];
}

interface ReaderOwner {
  /** The topic, as the reader's login may see it; or a rejection with a KafkaError. */
  readonly locate: () => Promise<EmbeddedTopic>;
  /** The reader reads no more. */
  readonly ended: () => void;
}

/** Reads a topic of the embedded log, with the waits and the answers of a fetch loop over a network. */
export class EmbeddedReader implements TopicReader {
  readonly #kafka: EmbeddedLog;
  readonly #owner: ReaderOwner;
  readonly #options: ReaderOptions;
  readonly #maxBytes: number;
  readonly #line: ReaderStatusLine;
  readonly #positions: Map<number, number>;
  /** Of what was read last of each partition, or was given for what lies before its start. */
  readonly #epochs: Map<number, number>;
  /** Of which something has been read. */
  readonly #begun = new Set<number>();
  readonly #paused = new Set<number>();
  readonly #wakeup = new Wakeup();
  readonly #unwatch: () => void;
  readonly #loop: Promise<void>;
  #incarnation: string | null = null;
  #closed = false;
  /** Set while the topic is missing. */
  #grace: Timer | null = null;
  /** Set while a fetch waits for a first record. */
  #longPoll: Timer | null = null;
  #waitedEnough = false;
  /** The partition that is served first, another one each time, so that none starves. */
  #first = 0;

  constructor(kafka: EmbeddedLog, options: ReaderOptions, owner: ReaderOwner) {
    this.#kafka = kafka;
    this.#owner = owner;
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? 1024 * 1024;
    this.#line = new ReaderStatusLine(options.onStatus);
    this.#positions = new Map(options.start);
    this.#epochs = new Map(options.startEpochs);
    this.#unwatch = kafka.watch(options.topic, () => this.#wakeup.wake());
    this.#loop = this.#read();
  }

  get status(): ReaderStatus {
    return this.#line.status;
  }

  pause(partitions: Iterable<number>): void {
    const paused = [...partitions];
    for (const partition of paused) this.#paused.add(partition);
    this.#line.paused(paused);
  }

  resume(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#paused.delete(partition);
    this.#wakeup.wake();
  }

  async close(): Promise<void> {
    this.#line.close();
    this.#stop();
    await this.#loop;
  }

  async #read(): Promise<void> {
    for (;;) {
      await (this.#options.turn?.() ?? nextTurn());
      const topic = await this.#find();
      if (this.#closed) return;
      const delivered = topic !== null && this.#serve(topic);
      if (!delivered && !this.#closed) await this.#wakeup.next();
    }
  }

  /** `null`: it cannot be read now; the status says why. */
  async #find(): Promise<EmbeddedTopic | null> {
    if (this.#closed) return null;
    try {
      const topic = await this.#owner.locate();
      this.#grace?.cancel();
      this.#grace = null;
      this.#incarnation ??= topic.id;
      if (this.#incarnation === topic.id) return topic;
      this.#fail(topicRecreated(topic.name));
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      if (error.code === 'UNAVAILABLE' || error.code === 'TOPIC_NOT_FOUND') this.#lose(error);
      else this.#fail(error);
    }
    return null;
  }

  #lose(error: KafkaError): void {
    this.#stopWaiting();
    if (error.code === 'TOPIC_NOT_FOUND') {
      this.#grace ??= this.#kafka.clock.schedule(missingTopicGraceMs, () => this.#fail(error));
    }
    this.#line.lost(
      [...this.#positions.keys()].filter((id) => !this.#paused.has(id)),
      error,
    );
  }

  /** False: there is nothing to tell yet, or ever. */
  #serve(topic: EmbeddedTopic): boolean {
    const asked = topic.partitions.filter((log) => !this.#paused.has(log.id));
    const { batches, leaderless, outOfRange } = this.#fetch(asked);
    if (leaderless.length > 0) {
      this.#line.lost(leaderless, noLeader(topic.name, leaderless));
    }
    if (outOfRange.length === 0 && !this.#isDue(batches)) return false;
    this.#stopWaiting();
    for (const { partition, nextOffset, epochs } of batches) {
      this.#positions.set(partition, nextOffset);
      const last = epochs?.at(-1);
      if (last === undefined) continue;
      this.#begun.add(partition);
      this.#epochs.set(partition, last.epoch);
    }
    if (batches.length > 0) {
      this.#line.reached(batches.map((batch) => batch.partition));
      this.#options.onBatches(batches);
    }
    if (outOfRange.length > 0) this.#fail(offsetOutOfRange(topic.name, outOfRange));
    return true;
  }

  #fetch(asked: readonly PartitionLog[]): Answer {
    const batches: RecordBatch[] = [];
    const leaderless: number[] = [];
    const outOfRange: LostRange[] = [];
    let bytesLeft = this.#maxBytes;
    const first = this.#first++ % Math.max(1, asked.length);
    for (const log of [...asked.slice(first), ...asked.slice(0, first)]) {
      const position = this.#positions.get(log.id) ?? log.startOffset;
      this.#positions.set(log.id, position);
      const epoch = this.#epochs.get(log.id);
      // What was read ends where another leader's part begins.
      const end = epoch === undefined ? log.endOffset : log.endOfEpoch(epoch);
      const isDeparted = end < position;
      const bounds = { start: log.startOffset, end: isDeparted ? end : log.endOffset };
      const lost = lostRange(log.id, position, bounds);
      if (!log.available) {
        leaderless.push(log.id);
      } else if (lost) {
        outOfRange.push(lost);
      } else {
        const slice = log.read(position, bytesLeft, bytesLeft === this.#maxBytes);
        bytesLeft -= slice.bytes;
        const known = this.#begun.has(log.id) ? epoch : undefined;
        const epochs = log
          .epochsIn(position, slice.nextOffset)
          .filter((start, index) => index > 0 || start.epoch !== known);
        batches.push({
          partition: log.id,
          records: slice.records,
          nextOffset: slice.nextOffset,
          highWatermark: log.stableOffset,
          logStartOffset: log.startOffset,
          ...(epochs.length > 0 && { epochs }),
          ...(slice.unreadable.length > 0 && { unreadable: slice.unreadable }),
        });
      }
    }
    return { batches, leaderless, outOfRange };
  }

  /** Whether an answer holds something, or was waited for long enough. Begins the wait if not. */
  #isDue(batches: readonly RecordBatch[]): boolean {
    if (batches.length === 0) return false;
    if (this.#waitedEnough) return true;
    for (const { partition, nextOffset } of batches) {
      if (nextOffset !== this.#positions.get(partition)) return true;
    }
    this.#longPoll ??= this.#kafka.clock.schedule(this.#options.maxWaitMs?.() ?? 500, () => {
      this.#waitedEnough = true;
      this.#wakeup.wake();
    });
    return false;
  }

  #stopWaiting(): void {
    this.#longPoll?.cancel();
    this.#longPoll = null;
    this.#waitedEnough = false;
  }

  #fail(error: KafkaError): void {
    if (this.#closed) return;
    this.#stop();
    this.#line.fail(error);
  }

  #stop(): void {
    this.#closed = true;
    this.#owner.ended();
    this.#unwatch();
    this.#grace?.cancel();
    this.#stopWaiting();
    this.#wakeup.wake();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
