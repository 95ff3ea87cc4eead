import { Histogram, type Registry } from 'prom-client';

export interface CountedHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

/** A histogram of which many equal observations are one call, where prom-client's own takes one at a time. */
export class CountedHistogram extends Histogram {
  readonly #options: CountedHistogramOptions;
  /** Observations by bucket; in the last one those beyond all bounds. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(options: CountedHistogramOptions) {
    const { name, help, buckets, registry } = options;
    super({ name, help, buckets: [...buckets], registers: [registry] });
    this.#options = options;
    this.#counts = new Float64Array(buckets.length + 1);
  }

  /** Takes `count` observations of a value. */
  add(value: number, count: number): void {
    const { buckets } = this.#options;
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] ?? 0)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#sum += value * count;
  }

  /** What prom-client's registry asks every histogram for; its types do not say so. */
  getForPromString(): Promise<object> {
    const { name, help, buckets } = this.#options;
    let count = 0;
    const values = Array.from(this.#counts, (inBucket, index) => {
      count += inBucket;
      return valueOf(`${name}_bucket`, count, { le: buckets[index] ?? '+Inf' });
    });
    values.push(valueOf(`${name}_sum`, this.#sum), valueOf(`${name}_count`, count));
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
  }
}

function valueOf(metricName: string, value: number, labels: object = {}) {
  return { metricName, value, labels, sharedLabels: {} };
}
