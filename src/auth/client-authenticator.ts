import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import type { KafkaDriver, KafkaSasl } from '../kafka/port.ts';
import type { Logger } from '../observe/logger.ts';
import { LoginGate } from './login-gate.ts';
import type { KeyAuthenticator, KeyCredentials, Principal } from './principal.ts';
import { RecentRefusals } from './recent-refusals.ts';
import { isRefusal, unknownCredentials } from './refusals.ts';
import { VerifiedLogin } from './verified-login.ts';

export interface ClientAuthenticatorOptions {
  readonly driver: KafkaDriver;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds for which a verified login that nobody retains is remembered. */
  readonly loginCacheTtlMs: number;
  /** Milliseconds from one verification of a login in use to the next. */
  readonly loginProbeIntervalMs: number;
  /** Most first logins under way at a time, and as many verifications again. */
  readonly concurrentLogins: number;
  /** Most first logins that wait for their turn. */
  readonly queuedLogins: number;
  /** Milliseconds for which a refusal is remembered. @default 2_000 */
  readonly refusalTtlMs?: number;
  /** Most refusals that are remembered. @default 1_000 */
  readonly maxRefusals?: number;
}

/**
 * Lets the cluster decide, by a fresh login with the client's own project id and key
 * (`kafka.credentials: client`).
 *
 * - Clients with equal credentials share one login and one principal.
 * - A login that is retained is verified every `loginProbeIntervalMs`: the broker keeps an open
 *   connection alive after its credentials were revoked, so only a fresh login tells. Verifications
 *   have a gate of their own; guessed credentials in the other one cannot delay a revocation.
 * - A login that is not retained is verified in the background when it is used, likewise at most once
 *   in an interval, and forgotten after `loginCacheTtlMs`.
 * - Only a refusal revokes. A cluster that cannot be reached leaves everybody as they are.
 */
export class ClientAuthenticator implements KeyAuthenticator {
  readonly #options: ClientAuthenticatorOptions;
  readonly #idKey = randomBytes(32);
  readonly #logins = new Map<string, VerifiedLogin>();
  readonly #pending = new Map<string, Promise<VerifiedLogin>>();
  readonly #refusals: RecentRefusals;
  readonly #firstLogins: LoginGate;
  readonly #verifications: LoginGate;
  /** Everything with a timer, also what `#logins` has forgotten but a client still retains. */
  readonly #watched = new Set<VerifiedLogin>();
  #closed = false;

  constructor(options: ClientAuthenticatorOptions) {
    this.#options = options;
    this.#refusals = new RecentRefusals(options.clock, {
      ttlMs: options.refusalTtlMs ?? 2_000,
      maxEntries: options.maxRefusals ?? 1_000,
    });
    const maxConcurrent = options.concurrentLogins;
    this.#firstLogins = new LoginGate({ maxConcurrent, maxQueued: options.queuedLogins });
    // Not bounded: there is at most one for each login.
    this.#verifications = new LoginGate({ maxConcurrent, maxQueued: Number.POSITIVE_INFINITY });
  }

  async authenticate(credentials: KeyCredentials): Promise<Principal> {
    const loginId = this.#idOf(credentials);
    const known = this.#logins.get(loginId);
    if (known !== undefined) {
      known.use();
      return known;
    }
    if (this.#refusals.has(loginId)) throw unknownCredentials();
    const pending =
      this.#pending.get(loginId) ??
      this.#firstLogin(loginId, credentials).finally(() => this.#pending.delete(loginId));
    this.#pending.set(loginId, pending);
    return pending;
  }

  /** The key itself: nothing else logs in to the cluster. */
  referenceTo({ key }: KeyCredentials): string {
    return key;
  }

  resolve(projectId: string, reference: string): Promise<Principal> {
    return this.authenticate({ projectId, key: reference });
  }

  close(): void {
    this.#closed = true;
    for (const login of this.#watched) login.stop();
    this.#watched.clear();
    this.#logins.clear();
  }

  async #firstLogin(loginId: string, { projectId, key }: KeyCredentials): Promise<VerifiedLogin> {
    if (this.#firstLogins.full) {
      const limit = 'limits.queuedLogins';
      throw new MillraceError(
        'LIMIT_EXCEEDED',
        `${this.#options.queuedLogins} logins are waiting already (${limit}): try again later`,
        { limit },
      );
    }
    const sasl: KafkaSasl = { mechanism: 'PLAIN', username: projectId, password: key };
    const login = new VerifiedLogin(projectId, sasl, loginId, {
      ...this.#options,
      verify: () => this.#verifications.run(() => this.#askCluster(sasl)),
      watched: (login) => this.#watched.add(login),
      forgotten: (login) => this.#forget(login),
      refused: (login) => {
        this.#refusals.add(loginId);
        this.#forget(login);
      },
    });
    try {
      await this.#firstLogins.run(() => this.#askCluster(sasl));
    } catch (cause) {
      if (isRefusal(cause)) {
        this.#refusals.add(loginId);
        throw unknownCredentials();
      }
      const message = 'the Kafka cluster cannot be reached, so the key cannot be verified';
      throw new MillraceError('KAFKA_UNAVAILABLE', message, {}, { cause });
    }
    if (!this.#closed) {
      this.#logins.set(loginId, login);
      login.start();
    }
    return login;
  }

  async #askCluster(sasl: KafkaSasl): Promise<void> {
    const client = this.#options.driver.connect(sasl);
    try {
      await client.login();
    } finally {
      await client.close();
    }
  }

  #forget(login: VerifiedLogin): void {
    this.#watched.delete(login);
    if (this.#logins.get(login.loginId) === login) this.#logins.delete(login.loginId);
  }

  #idOf({ projectId, key }: KeyCredentials): string {
    // The length keeps two different pairs from being one text.
    return createHmac('sha256', this.#idKey)
      .update(`${projectId.length}:${projectId}${key}`)
      .digest('base64url');
  }
}
