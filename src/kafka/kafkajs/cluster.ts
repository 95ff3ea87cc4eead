import { KafkaError } from '../port.ts';
import { AnswerRooms } from './answer-rooms.ts';
import type { Address, ConnectionSettings } from './connection.ts';
import { BrokerConnection } from './connection.ts';
import { toKafkaError } from './errors.ts';
import type { ClusterMetadata } from './metadata.ts';
import { metadataRequest } from './metadata.ts';
import type { WireAnswer, WireRequest } from './private-api.ts';

/** A broker that is silent for so long when asked about the cluster is given up, and another asked. */
const questionSilenceMs = 4_000;

type Ask<Answer extends WireAnswer> = (connection: BrokerConnection) => WireRequest<Answer>;

/**
 * The brokers of the cluster, and one shared connection to each that is needed for short questions.
 * Readers fetch over others, so nothing here ever waits behind a long poll.
 */
export class Cluster {
  readonly #settings: ConnectionSettings;
  readonly #bootstrap: readonly Address[];
  #nodes: ReadonlyMap<number, Address> = new Map();
  #clusterId: string | null = null;
  /** Who answered last. */
  #preferred: Address | null = null;
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  readonly #opening = new Set<BrokerConnection>();
  #closed = false;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#bootstrap = settings.brokers.map(parseAddress);
  }

  /** Logs in on a connection of its own, at the first broker that can be reached. @throws {KafkaError} */
  async login(): Promise<void> {
    await this.#first(async (address) => {
      const connection = new BrokerConnection(this.#settings, address);
      this.#opening.add(connection);
      try {
        await connection.open();
      } finally {
        this.#opening.delete(connection);
        await connection.close();
      }
    });
  }

  /**
   * From the first broker that answers.
   *
   * @param topics `null`: all that may be described
   * @throws {KafkaError} if none answers, or one refuses the login
   */
  async describe(topics: readonly string[] | null): Promise<ClusterMetadata> {
    const metadata = await this.#first((address) =>
      this.#ask(address, (connection) => metadataRequest(connection, topics)),
    );
    this.#nodes = new Map(metadata.brokers.map((broker) => [broker.nodeId, broker]));
    this.#clusterId = metadata.clusterId;
    return metadata;
  }

  async clusterId(): Promise<string> {
    if (this.#clusterId === null) await this.describe([]);
    return this.#clusterId ?? '';
  }

  /** Puts a short question to one node. @throws {KafkaError} */
  async ask<Answer extends WireAnswer>(nodeId: number, ask: Ask<Answer>): Promise<Answer> {
    return this.#ask(this.#addressOf(nodeId), ask);
  }

  /**
   * A connection to a node for a reader's own use, not opened yet. An answer is valid until the second one after it.
   *
   * @throws {KafkaError}
   */
  connectionTo(nodeId: number): BrokerConnection {
    const rooms = new AnswerRooms();
    return new BrokerConnection(this.#settings, this.#addressOf(nodeId), (bytes) =>
      rooms.take(bytes),
    );
  }

  /** Resolves when all shared connections are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    const closing = [...this.#opening].map((connection) => connection.close());
    const opened = await Promise.allSettled(this.#connections.values());
    for (const result of opened) {
      if (result.status === 'fulfilled') closing.push(result.value.close());
    }
    await Promise.all(closing);
  }

  #addressOf(nodeId: number): Address {
    const address = this.#nodes.get(nodeId);
    if (!address) throw new KafkaError('UNAVAILABLE', `broker ${nodeId} is not known`);
    return address;
  }

  /** What the first broker answers that can be reached. A refused login is no reason to try others. */
  async #first<T>(ask: (address: Address) => Promise<T>): Promise<T> {
    let last = new KafkaError('UNAVAILABLE', 'no brokers are known');
    for (const address of this.#addresses()) {
      try {
        const answer = await ask(address);
        this.#preferred = address;
        return answer;
      } catch (error) {
        last = toKafkaError(error);
        if (last.code !== 'UNAVAILABLE' || this.#closed) break;
      }
    }
    throw last;
  }

  #addresses(): Iterable<Address> {
    const preferred = this.#preferred ? [this.#preferred] : [];
    const all = [...preferred, ...this.#nodes.values(), ...this.#bootstrap];
    return new Map(all.map((address) => [keyOf(address), address])).values();
  }

  async #ask<Answer extends WireAnswer>(address: Address, ask: Ask<Answer>): Promise<Answer> {
    const held = this.#connections.get(keyOf(address));
    try {
      return await this.#askOver(address, ask);
    } catch (error) {
      // One that was open before may have died unnoticed: once more over a fresh one.
      if (!held || toKafkaError(error).code !== 'UNAVAILABLE') throw error;
      return this.#askOver(address, ask);
    }
  }

  async #askOver<Answer extends WireAnswer>(address: Address, ask: Ask<Answer>): Promise<Answer> {
    const key = keyOf(address);
    const opening = this.#connections.get(key) ?? this.#open(address);
    this.#connections.set(key, opening);
    try {
      const connection = await opening;
      if (!connection.usable) throw new KafkaError('UNAVAILABLE', `connection to ${key} lost`);
      const silenceMs = Math.min(connection.silenceMs, questionSilenceMs);
      return await connection.request(ask(connection), silenceMs);
    } catch (error) {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
      await opening.then(
        (connection) => connection.close(),
        () => undefined,
      );
      throw toKafkaError(error);
    }
  }

  async #open(address: Address): Promise<BrokerConnection> {
    if (this.#closed) throw new KafkaError('UNAVAILABLE', 'the client is closed');
    const connection = new BrokerConnection(this.#settings, address);
    this.#opening.add(connection);
    try {
      return await connection.open();
    } finally {
      this.#opening.delete(connection);
    }
  }
}

function keyOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

/** `host:port`, with an IPv6 address in brackets. */
function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(text.slice(colon + 1)) };
}
