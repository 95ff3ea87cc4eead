import { isIP } from 'node:net';
import {
  apiVersionsV1,
  AuthenticationError,
  Connection,
  ConnectionStatuses,
  ResponseError,
  type API,
  type ConnectionOptions,
  type SASLOptions,
} from '@platformatic/kafka';
import { KafkaError, type KafkaConnectionOptions, type KafkaSasl } from '../port.ts';
import { toKafkaError, TokenUnavailable } from './lib-errors.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** A broker that has something to say is not silent for so long; one that is stands still or is gone. */
const longestSilenceMs = 10_000;

/** One connection to one broker, logged in. All rejections are `KafkaError`. */
export class BrokerConnection {
  readonly #connection: Connection;
  readonly #address: BrokerAddress;
  readonly #where: string;
  #versions: ReturnType<typeof apiVersionsV1.parseResponse>['apiKeys'] = [];
  #closed = false;
  /** Milliseconds beyond what was asked for, after which an answer will not come. */
  readonly silenceMs: number;

  /** Of no use before `open` has resolved. */
  constructor(address: BrokerAddress, options: KafkaConnectionOptions, sasl: KafkaSasl | null) {
    this.#address = address;
    this.#where = `${address.host}:${address.port}`;
    this.silenceMs = Math.min(options.requestTimeoutMs ?? longestSilenceMs, longestSilenceMs);
    this.#connection = new Connection(options.clientId, connectionOptions(options, address, sasl));
    // Without a listener, an error that the library tells of twice would end the process.
    this.#connection.on('error', () => this.destroy());
    this.#connection.on('close', () => this.destroy());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Connects, logs in and asks what the broker understands. */
  async open(): Promise<void> {
    try {
      if (this.#closed) throw new Error('closed before it was open');
      await this.#connection.connect(this.#address.host, this.#address.port);
      const { apiKeys } = await this.#send(apiVersionsV1.api, ['millrace', '1'], this.silenceMs);
      this.#versions = apiKeys;
    } catch (error) {
      this.destroy();
      throw toKafkaError(error, `no connection to ${this.#where}`);
    }
  }

  /** The newest of these versions of a request that the broker understands. */
  choose<Request extends unknown[], Answer>(
    apis: readonly API<Request, Answer>[],
  ): API<Request, Answer> {
    for (const api of apis) {
      const range = this.#versions.find(({ apiKey }) => apiKey === api.key);
      if (range && range.minVersion <= api.version && api.version <= range.maxVersion) return api;
    }
    throw new KafkaError('UNAVAILABLE', `${this.#where} is too old or too new a broker`);
  }

  /**
   * Sends a request. An answer that holds errors is an answer, too: they are looked at where they
   * stand in it. Without any answer in time the connection is dead and dropped.
   */
  async request<Request extends unknown[], Answer>(
    api: API<Request, Answer>,
    request: Request,
    timeoutMs = this.silenceMs,
  ): Promise<Answer> {
    try {
      // Until a new login is through, the broker takes nothing else.
      if (this.#connection.status === ConnectionStatuses.REAUTHENTICATING) {
        await this.#connection.ready();
      }
      return await this.#send(api, request, timeoutMs);
    } catch (error) {
      throw toKafkaError(error, `no answer from ${this.#where}`);
    }
  }

  /** Drops the connection at once; what is under way is rejected. */
  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    // `close` also stops the timer for the next login; alone, it would wait for what is unsent.
    void this.#connection.close();
    this.#connection.socket?.destroy();
  }

  #send<Request extends unknown[], Answer>(
    api: API<Request, Answer>,
    request: Request,
    timeoutMs: number,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new KafkaError('UNAVAILABLE', `no answer from ${this.#where} in ${timeoutMs} ms`));
        this.destroy();
      }, timeoutMs);
      api(this.#connection, ...request, (error: Error | null, answer?: Answer) => {
        clearTimeout(timer);
        const told = error instanceof ResponseError ? error['response'] : answer;
        if (told) resolve(told);
        else reject(error);
      });
    });
  }
}

/** Beyond any time that a request may take here; what takes too long is ended by the time of `#send`. */
const noTimeoutMs = 2 ** 31 - 1;

function connectionOptions(
  { connectTimeoutMs = 5_000, ssl }: KafkaConnectionOptions,
  { host }: BrokerAddress,
  sasl: KafkaSasl | null,
): ConnectionOptions {
  return {
    connectTimeout: connectTimeoutMs,
    requestTimeout: noTimeoutMs,
    // Unlike a browser, Node sends no server name unless it is told one; addresses are none.
    ...(ssl && { tls: { ...(isIP(host) === 0 && { servername: host }), ...ssl } }),
    ...(sasl && { sasl: saslOptions(sasl) }),
  };
}

function saslOptions(sasl: KafkaSasl): SASLOptions {
  if (sasl.mechanism !== 'OAUTHBEARER') return { ...sasl };
  const { mechanism, token } = sasl;
  return {
    mechanism,
    async token() {
      try {
        return await token();
      } catch (cause) {
        throw new TokenUnavailable('no bearer token could be had', { cause });
      }
    },
    // A broker that refuses a token answers with the reason, and without an error at first: RFC 7628.
    authBytesValidator(reason, callback) {
      if (reason.length === 0) callback(null, reason);
      else callback(new AuthenticationError('The bearer token was refused.'));
    },
  };
}
