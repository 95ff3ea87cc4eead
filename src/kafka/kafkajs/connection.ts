import type { Socket } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import kafkajs from 'kafkajs';
import { AnswerAssembler } from './answer-assembler.ts';
import type { KafkaConnectionOptions, KafkaSasl } from '../port.ts';
import { KafkaError } from '../port.ts';
import { toKafkaError } from './errors.ts';
import { oauthBearer } from './oauth-bearer.ts';
import type {
  ApiVersionsAnswer,
  ApiVersions,
  SocketRequest,
  WireAnswer,
  WireConnection,
  WireRequest,
} from './private-api.ts';
import { privateApi } from './private-api.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A warning of kafkajs. Holds no credentials. */
export type KafkajsLog = (level: 'error' | 'warn', message: string) => void;

export interface ConnectionSettings extends KafkaConnectionOptions {
  readonly sasl: KafkaSasl | null;
  readonly log: KafkajsLog;
}

const keepAliveMs = 10_000;
/** So long before the end of a session the login is renewed: a request must reach the broker in time. */
const renewLoginBeforeMs = 3_000;
/** But before no larger part of it: a broker refuses to renew a login that is not a second old. */
const renewLoginBeforeShare = 0.25;
/** A broker that has something to say is not silent for so long; one that is stands still or is gone. */
const longestSilenceMs = 10_000;

/**
 * What sockets are read into, one after the other: its bytes are copied at once. (On Windows each socket needs one of its
 * own: there it is filled at any time.)
 */
const sharedReadBuffer = process.platform === 'win32' ? null : readBuffer();

function readBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(256 * 1024);
}

/** One connection to one broker. It is opened once; when it breaks, another takes its place. */
export class BrokerConnection {
  readonly address: Address;
  readonly #settings: ConnectionSettings;
  #wire: WireConnection | null = null;
  #versions: ApiVersions = {};
  #socket: Socket | null = null;
  #closed = false;
  #assembler: AnswerAssembler | null = null;
  readonly #roomFor: (bytes: number) => Buffer;
  /** What the wire said last while logging in, where kafkajs keeps only its text. */
  #loginFault: unknown = null;

  /** @param roomFor memory that answers are put together in, of exactly so many bytes */
  constructor(
    settings: ConnectionSettings,
    address: Address,
    roomFor: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafe(bytes),
  ) {
    this.#settings = settings;
    this.address = address;
    this.#roomFor = roomFor;
  }

  /** Milliseconds without a byte, when an answer is due, after which the broker counts as dead. */
  get silenceMs(): number {
    return Math.min(this.#settings.requestTimeoutMs ?? longestSilenceMs, longestSilenceMs);
  }

  get usable(): boolean {
    return !this.#closed && this.#socket !== null && !this.#socket.destroyed;
  }

  /** The highest version of an API that the broker speaks; -1: none. */
  maxVersion(apiKey: number): number {
    return this.#versions[apiKey]?.maxVersion ?? -1;
  }

  /** Connects and logs in. @throws {KafkaError} */
  async open(): Promise<this> {
    const { connectTimeoutMs = 5_000 } = this.#settings;
    try {
      await this.#watched(connectTimeoutMs + this.silenceMs, async () => {
        const wire = await privateApi().connection(this.#kafka(), this.address);
        this.#assembler = this.#assemblerFor(wire);
        await wire.connect();
        const { apiVersions } = await wire.send(apiVersionsRequest());
        this.#versions = Object.fromEntries(apiVersions.map((one) => [one.apiKey, one]));
        wire.setVersions(this.#versions);
        wire.setSupportAuthenticationProtocol(true);
        this.#wire = this.#settings.sasl ? this.#notingFaults(wire) : wire;
        await wire.authenticate();
      });
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  /**
   * @param silenceMs how long nothing at all may come from the broker; then it counts as dead
   * @throws {KafkaError} the connection may be used on if it is still `usable`
   */
  async request<Answer extends WireAnswer>(
    request: WireRequest<Answer>,
    silenceMs = this.silenceMs,
  ): Promise<Answer> {
    const wire = this.#wire;
    if (!wire) throw new KafkaError('UNAVAILABLE', `not connected to ${this.#name}`);
    const sessionMs = wire.sessionLifetime.toNumber();
    wire.reauthenticationThreshold = Math.floor(
      Math.min(renewLoginBeforeMs, sessionMs * renewLoginBeforeShare),
    );
    return this.#watched(silenceMs, () => wire.send(request));
  }

  /** Rejects what is under way. Resolves when the socket is closed. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    const socket = this.#socket;
    if (!socket || socket.closed) return;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    // With an error, which is what makes kafkajs reject the requests under way.
    socket.destroy(new Error(`connection to ${this.#name} closed`));
    await closed;
  }

  get #name(): string {
    return `${this.address.host}:${this.address.port}`;
  }

  #kafka() {
    const { brokers, clientId, connectTimeoutMs = 5_000, ssl, sasl, log } = this.#settings;
    return new kafkajs.Kafka({
      brokers: [...brokers],
      clientId,
      connectionTimeout: connectTimeoutMs,
      // Silence is watched here, see `request`: kafkajs keeps a connection whose request timed out.
      enforceRequestTimeout: false,
      retry: { retries: 0 },
      ...(ssl ? { ssl } : {}),
      ...(sasl ? { sasl: kafkajsSasl(sasl) } : {}),
      socketFactory: (request: SocketRequest) => this.#connect(request),
      logLevel: kafkajs.logLevel.WARN,
      // Only the text: what comes with it is kafkajs' own data, requests and answers among them.
      logCreator:
        () =>
        ({ level, log: { message } }) => {
          if (this.#closed || level > kafkajs.logLevel.WARN) return;
          log(level === kafkajs.logLevel.ERROR ? 'error' : 'warn', `${this.#name}: ${message}`);
        },
    });
  }

  #connect({ host, port, ssl, onConnect }: SocketRequest): Socket {
    if (this.#closed) throw new Error('closed');
    const servername = net.isIP(host) ? {} : { servername: host };
    const address = { host, port, onread: this.#onread() };
    const socket = ssl
      ? tls.connect(Object.assign(address, servername, ssl), onConnect)
      : net.connect(address, onConnect);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    this.#socket = socket;
    return socket;
  }

  /** Takes what comes past the socket's own stream: no `data` event is made of it. */
  #onread(): net.OnReadOpts {
    return {
      buffer: sharedReadBuffer ?? readBuffer(),
      callback: (bytes, buffer) => {
        try {
          this.#assembler?.take(buffer.subarray(0, bytes));
        } catch (error) {
          this.#socket?.destroy(error instanceof Error ? error : new Error(String(error)));
        }
        return true;
      },
    };
  }

  #assemblerFor(wire: WireConnection): AnswerAssembler {
    return new AnswerAssembler(this.#roomFor, (answer) => {
      // An empty rest of the answer before, with which this one would be joined, by a copy.
      wire.chunks = [];
      wire.processData(answer);
    });
  }

  /**
   * Destroys the connection when nothing came from the broker for `silenceMs` while `exchange` was
   * under way. A slow answer is not silence: it counts from the last byte.
   */
  async #watched<T>(silenceMs: number, exchange: () => Promise<T>): Promise<T> {
    let seen = this.#socket?.bytesRead ?? 0;
    const timer = setInterval(() => {
      const socket = this.#socket;
      const read = socket?.bytesRead ?? 0;
      if (read === seen) {
        socket?.destroy(new Error(`no answer from ${this.#name} within ${silenceMs} ms`));
      }
      seen = read;
    }, silenceMs);
    timer.unref();
    try {
      return await exchange();
    } catch (error) {
      throw this.#kafkaError(error);
    } finally {
      clearInterval(timer);
    }
  }

  /** kafkajs takes everything that interrupts a login for a refusal, a lost connection too. */
  #kafkaError(error: unknown): KafkaError {
    const fault = this.#loginFault;
    this.#loginFault = null;
    const named = toKafkaError(error);
    if (named.code !== 'AUTHENTICATION_FAILED' || fault === null) return named;
    return toKafkaError(fault);
  }

  #notingFaults(wire: WireConnection): WireConnection {
    const send = wire.send.bind(wire);
    wire.send = async (request) => {
      try {
        return await send(request);
      } catch (error) {
        // A login renewed amid a request: what interrupted it was noted by the inner call.
        if (toKafkaError(error).code !== 'AUTHENTICATION_FAILED') this.#loginFault = error;
        throw error;
      }
    };
    return wire;
  }
}

/** The first request on every connection, and the only one before the login. */
function apiVersionsRequest(): WireRequest<ApiVersionsAnswer> {
  return privateApi().requests.ApiVersions.protocol({ version: 2 })();
}

function kafkajsSasl(sasl: KafkaSasl): kafkajs.SASLOptions | kafkajs.Mechanism {
  switch (sasl.mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username: sasl.username, password: sasl.password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username: sasl.username, password: sasl.password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username: sasl.username, password: sasl.password };
    case 'OAUTHBEARER':
      return {
        mechanism: 'OAUTHBEARER',
        authenticationProvider: oauthBearer(sasl.token),
      };
  }
}
