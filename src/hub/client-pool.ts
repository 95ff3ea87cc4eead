import type { Clock, Timer } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import type { KafkaClient, KafkaDriver, KafkaSasl } from '../kafka/port.ts';

/** Whose login a client uses. Equal `loginId`s are equal logins. */
export interface Login {
  readonly loginId: string;
  readonly login: KafkaSasl | null;
}

/** The use of a pooled client; `release` gives it back, once. */
export interface ClientLease {
  readonly client: KafkaClient;
  release(): void;
}

interface PooledClient {
  readonly client: KafkaClient;
  leases: number;
  idle: Timer | undefined;
}

/** One Kafka client for each login in use, closed a while after its last use. */
export class ClientPool {
  readonly #driver: KafkaDriver;
  readonly #clock: Clock;
  readonly #lingerMs: number;
  readonly #clients = new Map<string, PooledClient>();
  #closed = false;

  constructor(driver: KafkaDriver, clock: Clock, lingerMs: number) {
    this.#driver = driver;
    this.#clock = clock;
    this.#lingerMs = lingerMs;
  }

  /** @throws {MillraceError} `KAFKA_UNAVAILABLE` after `close` */
  lease({ loginId, login }: Login): ClientLease {
    if (this.#closed) throw new MillraceError('KAFKA_UNAVAILABLE', 'the server is shutting down');
    const pooled = this.#clients.get(loginId) ?? this.#open(loginId, login);
    pooled.leases += 1;
    pooled.idle?.cancel();
    let released = false;
    return {
      client: pooled.client,
      release: () => {
        if (released) return;
        released = true;
        pooled.leases -= 1;
        if (pooled.leases === 0) this.#closeWhenIdle(loginId, pooled);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    for (const { idle } of clients) idle?.cancel();
    await Promise.all(clients.map(({ client }) => client.close()));
  }

  #open(loginId: string, login: KafkaSasl | null): PooledClient {
    const pooled: PooledClient = {
      client: this.#driver.connect(login),
      leases: 0,
      idle: undefined,
    };
    this.#clients.set(loginId, pooled);
    return pooled;
  }

  #closeWhenIdle(loginId: string, pooled: PooledClient): void {
    if (this.#closed) return;
    pooled.idle = this.#clock.schedule(this.#lingerMs, () => {
      this.#clients.delete(loginId);
      void pooled.client.close();
    });
  }
}
