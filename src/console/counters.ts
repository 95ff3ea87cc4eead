import type { Topic } from './topics.ts';
import { Rates } from './rates.ts';

/** How many topics' rates are remembered: those that were asked for last. */
const maxTopics = 500;
/** What happened between two answers that are further apart, in milliseconds, is not shown: nobody knows when it did. */
const maxApartMs = 5_000;

interface Counted {
  readonly rates: Rates;
  total: number;
  /** When that was told. */
  atMs: number;
}

/** Turns the totals that the server tells now and then into rates. */
export class Counters {
  readonly #topics = new Map<string, Counted>();

  /** @param nowMs milliseconds since 1970 */
  update(topics: readonly Topic[], nowMs: number): void {
    for (const { name, feed } of topics.slice(0, maxTopics)) {
      const total = Number(feed.received);
      const known = this.#topics.get(name);
      if (known === undefined) {
        this.#topics.set(name, { total, atMs: nowMs, rates: new Rates() });
        continue;
      }
      // A feed that was started anew counts from 0.
      const count = total >= known.total ? total - known.total : total;
      if (nowMs - known.atMs <= maxApartMs) known.rates.spread(count, known.atMs, nowMs);
      known.total = total;
      known.atMs = nowMs;
    }
    const names = new Set(topics.map(({ name }) => name));
    for (const name of this.#topics.keys()) if (!names.has(name)) this.#topics.delete(name);
  }

  of(topic: string): Rates | undefined {
    return this.#topics.get(topic)?.rates;
  }
}
