import { LabelSets } from '../observe/label-sets.ts';
import type { Metrics, Scrape } from '../observe/metrics.ts';
import type { Feed } from './feed.ts';
import type { FeedCounts } from './feed-counts.ts';

type FeedLabels = Readonly<Record<'project' | 'topic', string>>;

/** The counters of feeds, by what of their counts they show. */
const counters = {
  millrace_deliveries_total: 'delivered',
  millrace_duplicates_total: 'duplicates',
  millrace_late_total: 'late',
  millrace_released_early_total: 'releasedEarly',
  millrace_cut_intervals_total: 'cutIntervals',
} as const;

const states = ['STARTING', 'RUNNING', 'DEGRADED', 'FAILED'] as const;

/** What feeds do, by project and topic: looked up at each scrape, and once more when a feed is closed. */
export class FeedMetrics {
  readonly #metrics: Metrics;
  readonly #labelSets: LabelSets<'project' | 'topic'>;
  /** What was counted of each at its last look-up. */
  readonly #counted = new WeakMap<Feed, FeedCounts>();

  /** @param maxTopics most label sets of project and topic */
  constructor(metrics: Metrics, maxTopics: number) {
    this.#metrics = metrics;
    this.#labelSets = new LabelSets(maxTopics);
  }

  /** @param feeds all that are open */
  scrape(scrape: Scrape, feeds: Iterable<Feed>): void {
    for (const state of states) scrape.add('millrace_feeds', { state }, 0);
    for (const feed of feeds) {
      this.count(feed);
      if (feed.isOfPast) scrape.add('millrace_catch_up_readers', {}, 1);
      else this.#show(scrape, feed);
    }
  }

  /** Counts what a feed has done since it was counted last. */
  count(feed: Feed): void {
    const { counts } = feed;
    const before = this.#counted.get(feed);
    this.#counted.set(feed, counts);
    // Anybody may ask for topics that are not there.
    if (counts.received === 0) return;
    const labels = this.#labelsOf(feed);
    const received = counts.received - (before?.received ?? 0);
    if (feed.isOfPast) {
      this.#metrics.count('millrace_records_reread_total', labels, received);
      return;
    }
    this.#metrics.count('millrace_records_received_total', labels, received);
    for (const name of namesOf(counters)) {
      const of = counters[name];
      this.#metrics.count(name, labels, counts[of] - (before?.[of] ?? 0));
    }
  }

  #show(scrape: Scrape, feed: Feed): void {
    const { counts, memory } = feed;
    scrape.add('millrace_feeds', { state: counts.state }, 1);
    if (counts.state !== 'RUNNING' && counts.received === 0) return;
    const labels = this.#labelsOf(feed);
    scrape.add('millrace_feed_lag_records', labels, counts.lag);
    scrape.add('millrace_held_events', labels, counts.held);
    scrape.add('millrace_held_bytes', labels, memory.heldBytes);
    scrape.add('millrace_history_bytes', labels, memory.historyBytes);
    if (memory.dedup === undefined) return;
    scrape.add('millrace_dedup_bytes', labels, memory.dedup.bytes);
    scrape.least('millrace_dedup_window_seconds', labels, memory.dedup.coveredMs / 1_000);
  }

  #labelsOf({ projectId, kafkaTopic }: Feed): FeedLabels {
    return this.#labelSets.of({ project: projectId ?? '', topic: kafkaTopic });
  }
}

function namesOf<Name extends string>(rows: Readonly<Record<Name, unknown>>): Name[] {
  const names: Name[] = [];
  for (const name in rows) names.push(name);
  return names;
}
