import type { Clock } from '../core/clock.ts';

/**
 * Remembers for a moment which credentials the cluster refused, so that a client that keeps trying does
 * not become a storm of logins. Bounded: the oldest is forgotten first.
 */
export class RecentRefusals {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  /** Login id to the time of its refusal, oldest first. */
  readonly #refusedAtMs = new Map<string, number>();

  constructor(clock: Clock, bounds: { readonly ttlMs: number; readonly maxEntries: number }) {
    this.#clock = clock;
    this.#ttlMs = bounds.ttlMs;
    this.#maxEntries = bounds.maxEntries;
  }

  has(loginId: string): boolean {
    const refusedAtMs = this.#refusedAtMs.get(loginId);
    if (refusedAtMs === undefined) return false;
    // The clock may have been set back: it is not to be remembered for longer.
    if (Math.abs(this.#clock.now() - refusedAtMs) < this.#ttlMs) return true;
    this.#refusedAtMs.delete(loginId);
    return false;
  }

  add(loginId: string): void {
    this.#refusedAtMs.delete(loginId);
    this.#refusedAtMs.set(loginId, this.#clock.now());
    const [oldest] = this.#refusedAtMs.keys();
    if (this.#refusedAtMs.size > this.#maxEntries && oldest !== undefined) {
      this.#refusedAtMs.delete(oldest);
    }
  }
}
