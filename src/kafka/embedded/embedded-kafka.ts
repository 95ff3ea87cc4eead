import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { topicNotFound } from '../topic-errors.ts';
import { KafkaError, type KafkaDriver } from '../port.ts';
import { EmbeddedClient } from './client.ts';
import type { EmbeddedLog, EmbeddedTopic } from './log.ts';
import { PartitionLog } from './partition-log.ts';
import { EmbeddedUsers, type EmbeddedUser } from './users.ts';

export interface EmbeddedKafkaOptions {
  readonly clock: Clock;
  readonly retention?: EmbeddedRetention;
  /** Who may log in. @default anybody, and without a login too */
  readonly users?: readonly EmbeddedUser[];
  /** @default a random one: what an earlier process held is gone */
  readonly clusterId?: string;
}

/** What is held; the oldest records beyond it are dropped. */
export interface EmbeddedRetention {
  /** Of all topics together, in bytes of keys and values plus 100 for each record. @default 67_108_864 */
  readonly maxBytes?: number;
  /** Of each partition. @default no bound but `maxBytes` */
  readonly maxRecords?: number;
}

/** What a producer sends. Texts are stored as UTF-8; buffers as they are, without a copy. */
export interface EmbeddedRecord {
  /** @default round robin over the partitions */
  readonly partition?: number;
  readonly key?: Buffer | string | null;
  /** `null`: a tombstone. */
  readonly value: Buffer | string | null;
  /** @default the clock's now */
  readonly timestampMs?: number;
}

/**
 * A log inside the process: for trying Millrace where no Kafka is installed, and for tests, which
 * can have it do what a cluster does on a bad day.
 *
 * Nothing happens on its own: with a clock that is moved by hand it is deterministic.
 */
export class EmbeddedKafka implements EmbeddedLog {
  readonly clock: Clock;
  readonly clusterId: string;
  readonly users: EmbeddedUsers;
  readonly #maxBytes: number;
  readonly #maxRecords: number;
  readonly #topics = new Map<string, EmbeddedTopic>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #bytes = 0;
  #roundRobin = 0;
  #available = true;

  constructor(options: EmbeddedKafkaOptions) {
    this.clock = options.clock;
    this.clusterId = options.clusterId ?? randomUUID();
    this.users = new EmbeddedUsers(options.users ?? null);
    this.#maxBytes = options.retention?.maxBytes ?? 64 * 1024 * 1024;
    this.#maxRecords = options.retention?.maxRecords ?? Number.POSITIVE_INFINITY;
  }

  /** Any number of drivers may read the same log. */
  driver(): KafkaDriver {
    return { name: 'embedded', connect: (sasl) => new EmbeddedClient(this, sasl) };
  }

  /** @throws RangeError when there is such a topic */
  createTopic(name: string, partitions: number): void {
    if (this.#topics.has(name)) throw new RangeError(`topic ${name} exists`);
    const logs = Array.from({ length: partitions }, (_, id) => new PartitionLog(id));
    this.#topics.set(name, { name, id: randomUUID(), partitions: logs });
    this.#wake(name);
  }

  deleteTopic(name: string): void {
    for (const log of this.#required(name).partitions) this.#bytes -= log.bytes;
    this.#topics.delete(name);
    this.#wake(name);
  }

  addPartitions(name: string, count: number): void {
    const { partitions } = this.#required(name);
    for (let i = 0; i < count; i++) partitions.push(new PartitionLog(partitions.length));
    this.#wake(name);
  }

  /** @throws KafkaError `TOPIC_NOT_FOUND`; RangeError for a partition that does not exist */
  append(name: string, record: EmbeddedRecord): { partition: number; offset: number } {
    const { partitions } = this.#required(name);
    const partition = record.partition ?? this.#roundRobin++ % partitions.length;
    const log = this.#log(name, partition);
    const bytesBefore = log.bytes;
    const offset = log.append({
      timestampMs: record.timestampMs ?? this.clock.now(),
      key: toBuffer(record.key ?? null),
      value: toBuffer(record.value),
    });
    if (log.length > this.#maxRecords) log.dropOldest();
    this.#bytes += log.bytes - bytesBefore;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
    this.#wake(name);
    return { partition, offset };
  }

  /** Offsets that hold no record, as control records, aborted transactions and compaction leave. */
  appendHole(name: string, partition: number, count: number): void {
    this.#log(name, partition).appendHole(count);
    this.#wake(name);
  }

  /** Offsets whose records no client can take out of their batch. */
  appendUnreadable(name: string, partition: number, count: number, reason: string): void {
    this.#log(name, partition).appendUnreadable(count, reason);
    this.#wake(name);
  }

  /**
   * What lies from `from` on is not read before this is called again with `null`, as if it were of a
   * transaction that has not ended.
   */
  holdBack(name: string, partition: number, from: number | null): void {
    this.#log(name, partition).openFrom = from;
    this.#wake(name);
  }

  /** Drops the records below `before`, as retention or an administrator does. */
  deleteRecords(name: string, partition: number, before: number): void {
    this.#shrink(name, partition, (log) => log.deleteBefore(before));
  }

  /** Loses the records from `end` on, as an unclean leader election does. */
  truncate(name: string, partition: number, end: number): void {
    this.#shrink(name, partition, (log) => log.truncate(end));
  }

  /** Another broker leads the partition, and has all of its records. */
  electLeader(name: string, partition: number): void {
    this.#log(name, partition).electLeader();
  }

  /** `false`: every call is `UNAVAILABLE` and readers are degraded; `true`: they go on. */
  setAvailable(available: boolean): void {
    this.#available = available;
    for (const name of this.#watchers.keys()) this.#wake(name);
  }

  /** `false`: the partition has no leader. */
  setPartitionAvailable(name: string, partition: number, available: boolean): void {
    this.#log(name, partition).available = available;
    this.#wake(name);
  }

  /** Replaces the users; open connections stay logged in, as in Kafka. `null`: anybody. */
  setUsers(users: readonly EmbeddedUser[] | null): void {
    this.users.replace(users);
    for (const name of this.#watchers.keys()) this.#wake(name);
  }

  assertAvailable(): void {
    if (!this.#available) throw new KafkaError('UNAVAILABLE', 'the embedded log is switched off');
  }

  topic(name: string): EmbeddedTopic | undefined {
    return this.#topics.get(name);
  }

  topicNames(): string[] {
    return [...this.#topics.keys()];
  }

  watch(name: string, wake: () => void): () => void {
    const watchers = this.#watchers.get(name) ?? new Set();
    this.#watchers.set(name, watchers.add(wake));
    return () => {
      watchers.delete(wake);
      if (watchers.size === 0 && this.#watchers.get(name) === watchers) this.#watchers.delete(name);
    };
  }

  #wake(name: string): void {
    for (const wake of this.#watchers.get(name) ?? []) wake();
  }

  #shrink(name: string, partition: number, drop: (log: PartitionLog) => void): void {
    const log = this.#log(name, partition);
    const bytesBefore = log.bytes;
    drop(log);
    this.#bytes += log.bytes - bytesBefore;
    this.#wake(name);
  }

  /** From the partition that holds most. */
  #dropOldest(): void {
    let largest: PartitionLog | undefined;
    for (const topic of this.#topics.values()) {
      for (const log of topic.partitions) {
        if (log.bytes > (largest?.bytes ?? 0)) largest = log;
      }
    }
    if (!largest) return;
    const bytesBefore = largest.bytes;
    largest.dropOldest();
    this.#bytes += largest.bytes - bytesBefore;
  }

  #required(name: string): EmbeddedTopic {
    const topic = this.#topics.get(name);
    if (!topic) throw topicNotFound(name);
    return topic;
  }

  #log(name: string, partition: number): PartitionLog {
    const log = this.#required(name).partitions[partition];
    if (!log) throw new RangeError(`topic ${name} has no partition ${partition}`);
    return log;
  }
}

function toBuffer(value: Buffer | string | null): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
