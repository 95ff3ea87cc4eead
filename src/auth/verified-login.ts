import type { Clock, Timer } from '../core/clock.ts';
import type { KafkaSasl } from '../kafka/port.ts';
import type { Logger } from '../observe/logger.ts';
import type { Principal, PrincipalKey } from './principal.ts';
import { isRefusal, revokedKey } from './refusals.ts';
import { Revocation, type RevocationSignal } from './revocation.ts';

interface VerifiedLoginOptions {
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly loginCacheTtlMs: number;
  readonly loginProbeIntervalMs: number;
  /** Asks the cluster; rejects with a `KafkaError`. */
  readonly verify: () => Promise<void>;
  readonly watched: (login: VerifiedLogin) => void;
  /** Its time is over and nobody retains it. */
  readonly forgotten: (login: VerifiedLogin) => void;
  readonly refused: (login: VerifiedLogin) => void;
}

/** The cluster does not tell what kind of key it accepted, only that it may read. */
const anyKey: PrincipalKey = { name: null, kind: 'READ', topics: null };

/** Credentials that the cluster accepted, and the watch over whether it still does. */
export class VerifiedLogin implements Principal {
  readonly projectId: string;
  readonly key = anyKey;
  readonly filter = [];
  readonly login: KafkaSasl;
  readonly loginId: string;
  readonly #options: VerifiedLoginOptions;
  readonly #revocation = new Revocation();
  #retained = 0;
  /** When the cluster was last asked, and when it last said yes. */
  #askedAtMs = 0;
  #verifiedAtMs = 0;
  #asking = false;
  #stopped = false;
  #timer: Timer | null = null;

  constructor(projectId: string, login: KafkaSasl, loginId: string, options: VerifiedLoginOptions) {
    this.projectId = projectId;
    this.login = login;
    this.loginId = loginId;
    this.#options = options;
  }

  get revoked(): RevocationSignal {
    return this.#revocation;
  }

  mayRead(): void {
    // The cluster judges every topic itself.
  }

  retain(): () => void {
    this.revoked.throwIfAborted();
    this.#retained += 1;
    this.use();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#retained -= 1;
      this.#schedule();
    };
  }

  /** The cluster has just said yes for the first time. */
  start(): void {
    this.#askedAtMs = this.#options.clock.now();
    this.#verifiedAtMs = this.#askedAtMs;
    this.#schedule();
  }

  /** Somebody relies on it: it must not be older than an interval for long. */
  use(): void {
    if (this.#nextVerificationMs() === 0) void this.#verify();
    else this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Milliseconds; 0: now. */
  #nextVerificationMs(): number {
    const { clock, loginProbeIntervalMs } = this.#options;
    const agoMs = clock.now() - this.#askedAtMs;
    // Below 0 the clock was set back: how long ago it was is not known.
    return agoMs < 0 ? 0 : Math.max(0, loginProbeIntervalMs - agoMs);
  }

  #schedule(): void {
    this.#timer?.cancel();
    if (this.#stopped || this.#asking || this.revoked.aborted) return;
    const { clock, loginCacheTtlMs } = this.#options;
    this.#options.watched(this);
    if (this.#retained > 0) {
      this.#timer = clock.schedule(this.#nextVerificationMs(), () => void this.#verify());
    } else {
      const agoMs = Math.abs(clock.now() - this.#verifiedAtMs);
      this.#timer = clock.schedule(Math.max(0, loginCacheTtlMs - agoMs), () =>
        this.#options.forgotten(this),
      );
    }
  }

  async #verify(): Promise<void> {
    if (this.#stopped || this.#asking || this.revoked.aborted) return;
    this.#timer?.cancel();
    this.#asking = true;
    this.#askedAtMs = this.#options.clock.now();
    const { projectId } = this;
    try {
      await this.#options.verify();
      this.#verifiedAtMs = this.#askedAtMs;
    } catch (error) {
      if (isRefusal(error)) {
        this.#options.logger.info({ projectId }, 'the cluster no longer accepts a key: revoked');
        this.#options.refused(this);
        this.#revocation.abort(revokedKey());
        return;
      }
      this.#options.logger.warn({ projectId, err: error }, 'a login in use cannot be verified now');
    } finally {
      this.#asking = false;
    }
    this.#schedule();
  }
}
