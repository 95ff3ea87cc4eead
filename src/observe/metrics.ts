import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { CountedHistogram } from './counted-histogram.ts';
import {
  type CounterName,
  type GaugeName,
  type LabelsOf,
  type MetricName,
  metricTable,
} from './metric-table.ts';

/** What a scrape finds out. */
export interface Scrape {
  /** What a gauge shows now; of several values for the same labels the sum. */
  add<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** Of several values for the same labels the least is shown. */
  least<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** What a counter has gained since the last scrape. */
  gained<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by: number): void;
}

/**
 * A server's metrics, as the table has them. What happens rarely is counted when it happens; everything
 * else is looked up when somebody asks, so that it costs nothing in between.
 */
export class Metrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly deliveryLag: CountedHistogram;
  readonly #own = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #readers: ((scrape: Scrape) => void)[] = [];
  readonly #labels: Readonly<Record<string, string>>;

  /** @param labels that everything is shown with */
  constructor(labels: Readonly<Record<string, string>> = {}) {
    this.#labels = labels;
    for (const [name, { type, help, labels }] of Object.entries(metricTable)) {
      const options = { name, help, labelNames: labels, registers: [this.#own] };
      if (type === 'counter') this.#counters.set(name, new Counter(options));
      else if (type === 'gauge') this.#gauges.set(name, new Gauge(options));
    }
    const lag = 'millrace_delivery_lag_seconds';
    const { help, buckets } = metricTable[lag];
    this.deliveryLag = new CountedHistogram({ name: lag, help, buckets, registry: this.#own });
  }

  /** Counts something that has happened. Not for what happens with each message. */
  count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    found(this.#counters, name).inc(labels, by);
  }

  /** Has `read` called for each scrape. */
  onScrape(read: (scrape: Scrape) => void): void {
    this.#readers.push(read);
  }

  /** Everything in Prometheus' text format, that of the process included. */
  async text(): Promise<string> {
    this.#read();
    const all = Registry.merge([this.#own, processMetrics()]);
    all.setDefaultLabels(this.#labels);
    return all.metrics();
  }

  #read(): void {
    for (const gauge of this.#gauges.values()) gauge.reset();
    const scrape: Scrape = {
      add: (name, labels, value) => found(this.#gauges, name).inc(labels, value),
      least: (name, labels, value) => {
        const key = JSON.stringify([name, labels]);
        const least = leasts.get(key);
        if (least !== undefined && least <= value) return;
        leasts.set(key, value);
        found(this.#gauges, name).set(labels, value);
      },
      gained: (name, labels, by) => this.count(name, labels, by),
    };
    const leasts = new Map<string, number>();
    for (const read of this.#readers) read(scrape);
  }
}

function found<M>(metrics: ReadonlyMap<string, M>, name: MetricName): M {
  const metric = metrics.get(name);
  if (metric === undefined) throw new Error(`no metric ${name}`);
  return metric;
}

let ofProcess: Registry | undefined;

/** Memory, processor, event loop and collections: those of the process, however many servers it runs. */
function processMetrics(): Registry {
  if (ofProcess === undefined) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}
