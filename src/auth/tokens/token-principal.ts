import type { Clock, Timer } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import type { PropertyFilter } from '../../decode/property-filter.ts';
import type { KafkaSasl } from '../../kafka/port.ts';
import type { Principal, PrincipalKey } from '../principal.ts';
import { expiredToken } from '../refusals.ts';
import { Revocation, type RevocationListener, type RevocationSignal } from '../revocation.ts';
import { assertReadable } from '../topic-permission.ts';
import type { TokenScope } from './token-scope.ts';

/**
 * How often it is looked whether a token has expired, in milliseconds: timers know nothing of a clock that was set, nor
 * of the time that a machine was suspended.
 */
const lookMs = 30_000;

/**
 * The bearer of a token: the principal of the key that made it, within the token's scope. It ends with the
 * token, and with the key.
 */
export class TokenPrincipal implements Principal, RevocationListener {
  readonly projectId: string;
  readonly filter: readonly PropertyFilter[];
  readonly login: KafkaSasl | null;
  readonly loginId: string;
  readonly #parent: Principal;
  readonly #scope: TokenScope;
  readonly #clock: Clock;
  readonly #inWords: (reason: MillraceError) => MillraceError;
  readonly #revocation = new Revocation();
  #retained = 0;
  #giveBack: (() => void) | undefined;
  #expiry: Timer | undefined;

  /** @param inWords a reason of the parent's, for who knows the token only */
  constructor(
    parent: Principal,
    scope: TokenScope,
    clock: Clock,
    inWords: (reason: MillraceError) => MillraceError = (reason) => reason,
  ) {
    this.projectId = parent.projectId;
    this.filter = [...parent.filter, ...scope.filter];
    this.login = parent.login;
    this.loginId = parent.loginId;
    this.#parent = parent;
    this.#scope = scope;
    this.#clock = clock;
    this.#inWords = inWords;
  }

  get key(): PrincipalKey {
    const { key } = this.#parent;
    return { ...key, topics: this.#scope.topics ?? key.topics };
  }

  get revoked(): RevocationSignal {
    return this.#revocation;
  }

  mayRead(topic: string): void {
    assertReadable('token', this.#scope, topic);
    this.#askParent(() => this.#parent.mayRead(topic));
  }

  retain(): () => void {
    this.#revocation.throwIfAborted();
    if (this.#retained === 0) this.#watch();
    this.#retained += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#retained -= 1;
      if (this.#retained === 0) this.#unwatch();
    };
  }

  /** The key that made it has been revoked. */
  onRevoked(reason: MillraceError): void {
    this.#end(this.#inWords(reason));
  }

  #askParent<Answer>(ask: () => Answer): Answer {
    try {
      return ask();
    } catch (error) {
      throw error instanceof MillraceError ? this.#inWords(error) : error;
    }
  }

  #watch(): void {
    if (this.#leftMs <= 0) this.#end(expiredToken());
    this.#revocation.throwIfAborted();
    this.#giveBack = this.#askParent(() => this.#parent.retain());
    this.#parent.revoked.watch(this);
    this.#endInTime();
  }

  get #leftMs(): number {
    return this.#scope.expiresAtMs - this.#clock.now();
  }

  #endInTime(): void {
    const leftMs = this.#leftMs;
    if (leftMs <= 0) this.#end(expiredToken());
    else {
      this.#expiry = this.#clock.schedule(Math.min(leftMs, lookMs), () => this.#endInTime());
    }
  }

  #unwatch(): void {
    this.#expiry?.cancel();
    this.#parent.revoked.unwatch(this);
    this.#giveBack?.();
    this.#giveBack = undefined;
  }

  #end(reason: MillraceError): void {
    this.#unwatch();
    this.#revocation.abort(reason);
  }
}
