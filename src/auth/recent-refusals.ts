import type { Clock } from '../core/clock.ts';

/**
 * Remembers for a moment which credentials the cluster refused, so that a client that keeps trying does
 * not become a storm of logins. Bounded: the oldest is forgotten first.
 */
export class RecentRefusals {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  /** Login id to the time at which it is forgotten, oldest first. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock, bounds: { readonly ttlMs: number; readonly maxEntries: number }) {
    this.#clock = clock;
    this.#ttlMs = bounds.ttlMs;
    this.#maxEntries = bounds.maxEntries;
  }

  has(loginId: string): boolean {
    const until = this.#until.get(loginId);
    if (until === undefined) return false;
    if (this.#clock.now() < until) return true;
    this.#until.delete(loginId);
    return false;
  }

  add(loginId: string): void {
    this.#until.delete(loginId);
    this.#until.set(loginId, this.#clock.now() + this.#ttlMs);
    const [oldest] = this.#until.keys();
    if (this.#until.size > this.#maxEntries && oldest !== undefined) this.#until.delete(oldest);
  }
}
