import { setImmediate } from 'node:timers/promises';
import { backoffMs } from '../backoff.ts';
import type { KafkaError } from '../port.ts';
import { partitionError } from '../topic-errors.ts';
import { Wakeup } from '../wakeup.ts';
import type { FetchAnswer } from '../wire/fetch-answer.ts';
import { asKafkaError } from './as-kafka-error.ts';
import type { FetchConnection, FetchPosition } from './brokers.ts';
import type { Partition } from './partition.ts';

/** A request and its answer. */
export interface Exchange {
  /** By partition: where it was asked from. */
  readonly asked: ReadonlyMap<number, number>;
  readonly answer: FetchAnswer;
  /** When the answer was there, by `performance.now()`. */
  readonly answeredAtMs: number;
}

/** What a loop needs of its reader. */
export interface FetchPlan {
  readonly topic: string;
  readonly topicId: string | null;
  readonly maxBytes: number;
  maxWaitMs(): number;
  /** Resolves when a part may be handed over: in another turn of the event loop. */
  turn(): Promise<void>;
  /**
   * Partitions that this node leads, paused ones and those that wait for another attempt too; but for those of which
   * another node's answer has still to be handed over.
   */
  ledBy(nodeId: number): readonly Partition[];
  connectionTo(nodeId: number): FetchConnection;
  /**
   * Takes note of an answer, before the next request is made: from here on its records are read.
   *
   * @returns hands them over, part by part; all must be called, in order
   */
  accept(nodeId: number, exchange: Exchange): readonly (() => void)[];
  /** The node could not be asked about these; it is asked again. */
  unreachable(nodeId: number, partitions: readonly Partition[], error: KafkaError): void;
}

/**
 * How long an answer may take while one of the leader's partitions is left out of the question, so
 * that it need not wait long to be asked for again.
 */
const shortWaitMs = 50;

/**
 * Fetches from one leader, one request at a time, over one connection. The next request is under way
 * while the records of the last answer are handed over, so at most two answers are in memory.
 */
export class LeaderLoop {
  readonly #nodeId: number;
  readonly #plan: FetchPlan;
  readonly #wakeup = new Wakeup();
  readonly ended: Promise<void>;
  #connection: FetchConnection | null = null;
  #stopped = false;
  #turn = 0;
  #throttledMs = 0;
  /** Of the node as a whole, in a row; partitions that it refuses wait each for itself. */
  #failures = 0;
  #retryAtMs = 0;

  constructor(nodeId: number, plan: FetchPlan) {
    this.#nodeId = nodeId;
    this.#plan = plan;
    this.ended = this.#run();
  }

  /** There may be something to ask for, now. */
  wake(): void {
    this.#wakeup.wake();
  }

  /** Nothing more is taken. Resolves when the connection is closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wakeup.wake();
    await this.#connection?.close();
    await this.ended;
  }

  async #run(): Promise<void> {
    // So that the reader has this loop in its books before anything happens.
    await setImmediate();
    let next = this.#exchange();
    while (!this.#stopped) {
      const exchange = await next;
      if (this.#stopped) break;
      const parts = exchange && this.#plan.accept(this.#nodeId, exchange);
      // Not before all of the answer before was handed over: its memory may be used for what comes now.
      next = this.#exchange();
      for (const handOver of parts ?? []) {
        // Lets the request out, and other sockets have their turn in between.
        await this.#plan.turn();
        // Also when it was stopped meanwhile: a loop that is retired must lose nothing that it took.
        handOver();
      }
    }
    await next;
    await this.#connection?.close();
  }

  /** One request and its answer. Rejects never; `null`: there was none. */
  async #exchange(): Promise<Exchange | null> {
    const asking = await this.#due();
    if (this.#stopped) return null;
    try {
      const exchange = await this.#fetch(asking);
      this.#failures = 0;
      return exchange;
    } catch (error) {
      await this.#connection?.close();
      this.#connection = null;
      this.#failures += 1;
      this.#retryAtMs = performance.now() + backoffMs(this.#failures);
      if (!this.#stopped) this.#plan.unreachable(this.#nodeId, asking, asKafkaError(error));
      return null;
    }
  }

  /** Waits until there is something to ask for. */
  async #due(): Promise<Partition[]> {
    while (!this.#stopped) {
      const now = performance.now();
      const led = this.#plan.ledBy(this.#nodeId).filter(({ paused }) => !paused);
      const waitMs = Math.max(0, this.#retryAtMs - now);
      const due = led.filter((partition) => partition.waitMs(now) === 0);
      if (waitMs === 0 && due.length > 0) return due;
      const firstDueMs = Math.min(...led.map((partition) => partition.waitMs(now)));
      await this.#wakeup.next(Math.max(waitMs, firstDueMs));
    }
    return [];
  }

  async #fetch(partitions: readonly Partition[]): Promise<Exchange> {
    const connection = await this.#connected();
    const { topic, topicId, maxBytes } = this.#plan;
    const leftOut = this.#plan.ledBy(this.#nodeId).length > partitions.length;
    const behind = partitions.filter((partition) => partition.behind).length;
    const positions = this.#inTurn(partitions).map(positionOf);
    const answer = await connection.fetch({
      topic,
      topicId,
      positions,
      maxWaitMs: Math.min(this.#plan.maxWaitMs(), leftOut ? shortWaitMs : Infinity),
      throttledMs: this.#throttledMs,
      maxBytes,
      partitionMaxBytes: Math.ceil(maxBytes / Math.max(1, behind)),
    });
    const error = partitionError(topic, answer.errorCode);
    if (error) throw error;
    this.#throttledMs = answer.throttledMs;
    return {
      asked: new Map(positions.map(({ partition, offset }) => [partition, offset])),
      answer,
      answeredAtMs: performance.now(),
    };
  }

  /** Each comes first in its turn: who comes first always gets its next batch, however large. */
  #inTurn(partitions: readonly Partition[]): Partition[] {
    this.#turn = (this.#turn + 1) % partitions.length;
    return [...partitions.slice(this.#turn), ...partitions.slice(0, this.#turn)];
  }

  async #connected(): Promise<FetchConnection> {
    if (this.#connection?.usable) return this.#connection;
    const connection = this.#plan.connectionTo(this.#nodeId);
    this.#connection = connection;
    await connection.open();
    return connection;
  }
}

function positionOf({ id, position, leaderEpoch, readEpoch }: Partition): FetchPosition {
  return { partition: id, offset: position, leaderEpoch, readEpoch };
}
