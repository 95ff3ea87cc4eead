import type { Clock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import { usedToken } from '../refusals.ts';

/**
 * The single-use tokens that were used, each until it could not be used any more: in this process only,
 * which is why that is soon. Bounded; at the bound further ones are refused rather than forgotten.
 */
export class UsedTokens {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #max: number;
  /** Id to the time up to which it is remembered, those that were used first in front. */
  readonly #until = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  /**
   * Uses a token up.
   *
   * @throws {MillraceError} `UNAUTHENTICATED`: it has been used; `LIMIT_EXCEEDED`: too many were
   */
  take(id: string, useByMs: number): void {
    this.#forgetOld();
    if (this.#until.has(id)) throw usedToken();
    if (this.#until.size >= this.#max) {
      const limit = 'limits.usedTokens';
      throw new MillraceError(
        'LIMIT_EXCEEDED',
        `${this.#max} single-use tokens were used within a minute (${limit}): try again later`,
        { limit },
      );
    }
    this.#until.set(id, useByMs);
  }

  /** It could not be used after all. */
  giveBack(id: string): void {
    this.#until.delete(id);
  }

  /** One in front that lives longer keeps those behind it, for as long as a token may wait for its use. */
  #forgetOld(): void {
    const nowMs = this.#clock.now();
    for (const [id, untilMs] of this.#until) {
      if (untilMs >= nowMs) return;
      this.#until.delete(id);
    }
  }
}
