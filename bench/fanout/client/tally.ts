import { nowUs } from '../clock.ts';
import { findMark, nOf, sentUsOf, volleyOf } from '../mark.ts';

export interface Expected {
  readonly volley: number;
  /** Those with a higher number are not looked at. */
  readonly subscriptions: number;
  /** How many events all these subscriptions together are to get. */
  readonly deliveries: number;
}

export interface Received {
  readonly deliveries: number;
  /** Events that were not the next one of their subscription: a gap, a copy or a swap. */
  readonly outOfPlace: number;
  /** Subscriptions that got nothing. */
  readonly silent: number;
  /** Mean length of a message, in bytes. */
  readonly messageBytes: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Counts what arrives of one volley: whether it is complete and in order, and how long it took. */
export class Tally {
  readonly #expected: Expected;
  /** By subscription: `n` of its last event. */
  readonly #last: Int32Array;
  /** Microseconds from the producer to here. */
  readonly #latencies: Float32Array;
  readonly #complete = Promise.withResolvers<void>();
  #deliveries = 0;
  #outOfPlace = 0;
  #messages = 0;
  #bytes = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.#last = new Int32Array(expected.subscriptions).fill(-1);
    this.#latencies = new Float32Array(expected.deliveries);
  }

  /** Resolves when as many have come as were expected. */
  get complete(): Promise<void> {
    return this.#complete.promise;
  }

  /** One message, which may hold several events. */
  take(subscription: number, bytes: Buffer, start: number, end: number): void {
    if (subscription >= this.#expected.subscriptions) return;
    let mark = findMark(bytes, start);
    if (mark === -1 || mark >= end) return;
    this.#messages += 1;
    this.#bytes += end - start;
    const atUs = nowUs();
    while (mark !== -1 && mark < end) {
      if (volleyOf(bytes, mark) === this.#expected.volley) {
        this.#count(subscription, nOf(bytes, mark), atUs - sentUsOf(bytes, mark));
      }
      mark = findMark(bytes, mark);
    }
  }

  #count(subscription: number, n: number, latencyUs: number): void {
    if (n !== (this.#last[subscription] ?? 0) + 1) this.#outOfPlace += 1;
    this.#last[subscription] = n;
    this.#latencies[this.#deliveries] = latencyUs;
    this.#deliveries += 1;
    if (this.#deliveries === this.#expected.deliveries) this.#complete.resolve();
  }

  get received(): Received {
    const counted = Math.min(this.#deliveries, this.#latencies.length);
    const sorted = this.#latencies.subarray(0, counted).toSorted();
    const atMs = (share: number): number =>
      (sorted[Math.min(counted - 1, Math.floor(counted * share))] ?? Number.NaN) / 1_000;
    return {
      deliveries: this.#deliveries,
      outOfPlace: this.#outOfPlace,
      silent: this.#last.reduce((silent, n) => (n === -1 ? silent + 1 : silent), 0),
      messageBytes: this.#bytes / this.#messages,
      p50Ms: atMs(0.5),
      p99Ms: atMs(0.99),
      maxMs: atMs(1),
    };
  }
}
