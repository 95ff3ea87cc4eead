import type { KafkaClient, KafkaConnectionOptions, KafkaSasl } from '../../../src/kafka/port.ts';

/** What the suite needs of one implementation of the Kafka port and of the log behind it. */
export interface KafkaPort {
  readonly capabilities: KafkaPortCapabilities;
  /** Called once before the tests. */
  open(): Promise<KafkaPortSetup>;
}

/** Points of the suite that do not apply to every log. */
export interface KafkaPortCapabilities {
  /** How it can be told who reads. */
  readonly mechanisms: readonly KafkaSasl['mechanism'][];
  /** A listener with TLS beside the one without. */
  readonly tls: boolean;
  readonly codecs: readonly Codec[];
  /** Codecs that the broker itself applies (`compression.type`), as Java writes them. @default [] */
  readonly brokerCodecs?: readonly Codec[];
  /** Also makes the holes that control records and aborted transactions leave. */
  readonly transactions: boolean;
  /** Transactions that hold readers back while they are open. @default false */
  readonly openTransactions?: boolean;
  /** Topics whose record times are set by the broker (`message.timestamp.type=LogAppendTime`). */
  readonly logAppendTime: boolean;
}

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface KafkaPortSetup {
  /**
   * A client of the implementation under test. The suite closes it.
   *
   * @param sasl `null`: the administrator, without a login
   */
  connect(sasl?: KafkaSasl | null, overrides?: ConnectionOverrides): KafkaClient;
  createLogin(mechanism: KafkaSasl['mechanism']): Promise<Login>;

  /** Resolves once every partition has a leader that answers. */
  createTopic(topic: string, partitions: number, config?: Record<string, string>): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** @param total number of partitions after it */
  addPartitions(topic: string, total: number): Promise<void>;
  /** Moves the start of the log to `beforeOffset`. */
  deleteRecords(topic: string, partition: number, beforeOffset: number): Promise<void>;
  /** Resolves once all are acknowledged; in the given order within each partition. */
  produce(
    topic: string,
    records: readonly ProducedRecord[],
    options?: ProduceOptions,
  ): Promise<void>;
  /** Writes in a transaction that stays open until it is ended. With `openTransactions` only. */
  openTransaction?(topic: string, records: readonly ProducedRecord[]): Promise<OpenTransaction>;
  close(): Promise<void>;
}

export interface ConnectionOverrides
  extends Partial<Omit<KafkaConnectionOptions, 'ssl' | 'clientId'>> {
  /** Over the listener with TLS. @default false */
  readonly tls?: boolean;
}

export interface Login {
  readonly sasl: KafkaSasl;
  /** It may describe and read the topics whose names begin with this, and no others. */
  readonly prefix: string;
  /** Removes the user, where that can be done while the broker runs (SCRAM). */
  revoke(): Promise<void>;
}

export interface ProducedRecord {
  readonly partition: number;
  readonly key?: string | Buffer | null;
  readonly value: string | Buffer | null;
  /** Milliseconds since 1970. @default now */
  readonly timestampMs?: number;
}

export interface OpenTransaction {
  commit(): Promise<void>;
  abort(): Promise<void>;
}

export interface ProduceOptions {
  /** @default 'none' */
  readonly compression?: Codec;
  /** In a transaction of its own, and how that ends. */
  readonly transaction?: 'commit' | 'abort';
}
