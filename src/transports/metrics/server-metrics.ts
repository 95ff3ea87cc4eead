import { CloseCode } from 'graphql-ws';
import { errorTable } from '../../core/errors.ts';
import { parsedPayloads } from '../../decode/parsed-payloads.ts';
import { FeedMetrics } from '../../hub/feed-metrics.ts';
import type { Hub } from '../../hub/hub.ts';
import type { SubscriptionKind } from '../../hub/requests.ts';
import { LabelSets } from '../../observe/label-sets.ts';
import type { Metrics, Scrape } from '../../observe/metrics.ts';
import type { Allowances } from '../allowance/allowances.ts';
import type { Answers } from '../allowance/answers.ts';
import type { OpenConnections } from '../open-connections.ts';
import type { SlowOutcome } from '../outgoing.ts';
import { closeCodes } from '../plain/protocol.ts';
import { type Sent, type TransportName, transportNames } from '../sent.ts';
import type { UntakenAnswers } from '../untaken-answers.ts';

export interface Observed {
  readonly hub: Hub;
  readonly connections: OpenConnections;
  readonly allowances: Allowances;
  readonly answers: Answers;
  readonly sent: Sent;
  readonly untaken: UntakenAnswers;
  /** Open connections of whatever kind. */
  readonly sockets: () => number;
}

export interface ServerMetricsOptions {
  /** Most pairs of project and topic with series of their own. */
  readonly maxTopics: number;
  /** Most projects with series of their own. */
  readonly maxProjects: number;
}

const kinds = ['events', 'eventBatches', 'deadLetters'] as const satisfies SubscriptionKind[];

/** RFC 6455, section 7.4.1, and the registry of IANA. */
const protocolsCloseCodes = [
  1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
];
/** A client may close with any of 2,000 numbers. */
const knownCloseCodes: ReadonlySet<string> = new Set(
  [
    ...protocolsCloseCodes,
    ...Object.values(CloseCode),
    ...Object.values(errorTable).map(({ closeCode }) => closeCode),
    ...Object.keys(closeCodes),
  ].map(String),
);

/** The metrics of one server, beside those that its parts count themselves. */
export class ServerMetrics {
  readonly feeds: FeedMetrics;
  readonly #metrics: Metrics;
  readonly #projects: LabelSets<'project'>;

  constructor(metrics: Metrics, { maxTopics, maxProjects }: ServerMetricsOptions) {
    this.#metrics = metrics;
    this.feeds = new FeedMetrics(metrics, maxTopics);
    this.#projects = new LabelSets(maxProjects);
  }

  /** Looks at what there is whenever somebody asks. */
  observe(observed: Observed): void {
    this.#metrics.onScrape((scrape) => {
      this.#showConnections(scrape, observed);
      this.#showSubscriptions(scrape, observed);
      for (const transport of transportNames) {
        const { messages, bytes } = observed.sent.by[transport].take();
        scrape.gained('millrace_messages_sent_total', { transport }, messages);
        scrape.gained('millrace_bytes_sent_total', { transport }, bytes);
      }
      for (const [projectId, bytes] of observed.allowances.takeSentBytes()) {
        scrape.gained('millrace_project_bytes_sent_total', this.#labelsOf(projectId), bytes);
      }
      for (const [projectId, bytes] of observed.answers.bytesByProject) {
        scrape.add('millrace_project_answer_bytes', this.#labelsOf(projectId), bytes);
      }
      scrape.add('millrace_parsed_payload_bytes', {}, parsedPayloads.length);
      this.feeds.scrape(scrape, observed.hub.registry.feeds());
    });
  }

  /** Counts how a WebSocket was closed. */
  countClose(transport: TransportName, closeCode: number): void {
    const code = knownCloseCodes.has(String(closeCode)) ? String(closeCode) : 'other';
    this.#metrics.count('millrace_closes_total', { transport, code });
  }

  countSlow(outcome: SlowOutcome): void {
    const name = outcome === 'moved' ? 'millrace_slow_moves_total' : 'millrace_slow_closes_total';
    this.#metrics.count(name, {});
  }

  /** Counts an error that a client is told. */
  countRefused(code: string, limit: string | undefined): void {
    this.#metrics.count('millrace_refused_total', { code });
    if (limit !== undefined) this.#metrics.count('millrace_limits_hit_total', { limit });
  }

  #showConnections(scrape: Scrape, { connections, untaken, sockets }: Observed): void {
    scrape.add('millrace_queue_bytes', {}, untaken.bytes);
    for (const transport of transportNames) scrape.add('millrace_connections', { transport }, 0);
    for (const { transport, projectId, backlogBytes } of connections) {
      scrape.add('millrace_connections', { transport }, 1);
      scrape.add('millrace_queue_bytes', {}, backlogBytes);
      if (projectId === undefined) continue;
      scrape.add('millrace_project_connections', this.#labelsOf(projectId), 1);
    }
    const others = Math.max(0, sockets() - connections.size);
    scrape.add('millrace_connections', { transport: 'http' }, others);
  }

  #showSubscriptions(scrape: Scrape, { hub }: Observed): void {
    for (const kind of kinds) {
      for (const transport of transportNames) {
        scrape.add('millrace_subscriptions', { kind, transport }, 0);
      }
    }
    for (const [{ transport, queuedBytes }, { kind }] of hub.subscriptions) {
      scrape.add('millrace_queue_bytes', {}, queuedBytes);
      if (transport === undefined) continue;
      scrape.add('millrace_subscriptions', { kind, transport }, 1);
    }
    for (const [projectId, subscriptions] of hub.subscriptionsByProject) {
      scrape.add('millrace_project_subscriptions', this.#labelsOf(projectId), subscriptions);
    }
  }

  #labelsOf(project: string): Readonly<Record<'project', string>> {
    return this.#projects.of({ project });
  }
}
