import { setImmediate } from 'node:timers/promises';
import type { KafkaError } from '../port.ts';
import { Alarm } from './alarm.ts';
import type { BrokerConnection } from './connection.ts';
import { toKafkaError } from './errors.ts';
import type { FetchAnswer } from './fetch.ts';
import { fetchRequest } from './fetch.ts';
import type { Partition } from './partition.ts';
import type { WireRequest } from './private-api.ts';

/** A connection as far as a loop uses it. */
export interface FetchConnection
  extends Pick<BrokerConnection, 'usable' | 'silenceMs' | 'maxVersion' | 'close'> {
  open(): Promise<unknown>;
  request(request: WireRequest<FetchAnswer>, silenceMs: number): Promise<FetchAnswer>;
}

/** What a loop needs of its reader. */
export interface FetchPlan {
  readonly topic: string;
  readonly maxBytes: number;
  maxWaitMs(): number;
  /** Partitions that this node leads, paused ones and those that wait for another attempt too. */
  ledBy(nodeId: number): readonly Partition[];
  connectionTo(nodeId: number): FetchConnection;
  /**
   * Takes note of an answer, before the next request is made: from here on its records are read.
   * @returns hands them over; must be called
   */
  accept(nodeId: number, asked: ReadonlyMap<number, number>, answer: FetchAnswer): () => void;
  /** None of these could be asked for. */
  unreachable(partitions: readonly Partition[], error: KafkaError): void;
}

/**
 * How long an answer may take while one of the leader's partitions is left out of the question, so
 * that it need not wait long to be asked for again.
 */
const shortWaitMs = 50;

interface Exchange {
  readonly asked: ReadonlyMap<number, number>;
  readonly answer: FetchAnswer;
}

/**
 * Fetches from one leader, one request at a time, over one connection. The next request is under way
 * while the records of the last answer are handed over, so at most two answers are in memory.
 */
export class LeaderLoop {
  readonly #nodeId: number;
  readonly #plan: FetchPlan;
  readonly #alarm = new Alarm();
  readonly ended: Promise<void>;
  #connection: FetchConnection | null = null;
  #stopped = false;
  #turn = 0;
  #throttledMs = 0;

  constructor(nodeId: number, plan: FetchPlan) {
    this.#nodeId = nodeId;
    this.#plan = plan;
    this.ended = this.#run();
  }

  /** There may be something to ask for, now. */
  wake(): void {
    this.#alarm.ring();
  }

  /** Nothing more is taken. Resolves when the connection is closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm.ring();
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
      const handOver = exchange && this.#plan.accept(this.#nodeId, exchange.asked, exchange.answer);
      next = this.#exchange();
      if (!handOver) continue;
      // Lets the request out, and other sockets have their turn between answers.
      await setImmediate();
      // Also when it was stopped meanwhile: a loop that is retired must lose nothing that it took.
      handOver();
    }
    await next;
    await this.#connection?.close();
  }

  /** One request and its answer. Rejects never; `null`: there was none. */
  async #exchange(): Promise<Exchange | null> {
    const asking = await this.#due();
    if (this.#stopped) return null;
    try {
      return await this.#fetch(asking);
    } catch (error) {
      await this.#connection?.close();
      this.#connection = null;
      if (!this.#stopped) this.#plan.unreachable(asking, toKafkaError(error));
      return null;
    }
  }

  /** Waits until there is something to ask for. */
  async #due(): Promise<Partition[]> {
    while (!this.#stopped) {
      const now = Date.now();
      const led = this.#plan.ledBy(this.#nodeId).filter(({ paused }) => !paused);
      const due = led.filter((partition) => partition.waitMs(now) === 0);
      if (due.length > 0) return due;
      await this.#alarm.wait(Math.min(...led.map((partition) => partition.waitMs(now))));
    }
    return [];
  }

  async #fetch(partitions: readonly Partition[]): Promise<Exchange> {
    const connection = await this.#connected();
    // Each comes first in its turn: who comes first always gets its next batch, however large.
    this.#turn = (this.#turn + 1) % partitions.length;
    const inTurn = [...partitions.slice(this.#turn), ...partitions.slice(0, this.#turn)];
    const asked = new Map(inTurn.map(({ id, position }) => [id, position]));
    const { topic, maxBytes } = this.#plan;
    const leftOut = this.#plan.ledBy(this.#nodeId).length > partitions.length;
    const maxWaitMs = Math.min(this.#plan.maxWaitMs(), leftOut ? shortWaitMs : Infinity);
    const behind = partitions.filter((partition) => partition.behind).length;
    const partitionMaxBytes = Math.ceil(maxBytes / Math.max(1, behind));
    const answer = await connection.request(
      fetchRequest(connection, {
        topic,
        positions: asked,
        maxWaitMs,
        maxBytes,
        partitionMaxBytes,
      }),
      maxWaitMs + this.#throttledMs + connection.silenceMs,
    );
    this.#throttledMs = answer.clientSideThrottleTime;
    return { asked, answer };
  }

  async #connected(): Promise<FetchConnection> {
    if (this.#connection?.usable) return this.#connection;
    const connection = this.#plan.connectionTo(this.#nodeId);
    this.#connection = connection;
    await connection.open();
    return connection;
  }
}
