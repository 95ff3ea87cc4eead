import { setTimeout as sleep } from 'node:timers/promises';
import { Remote } from '../../bench/fanout/remote.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { seriesOf } from '../support/metrics.ts';
import { descriptorsOf } from './descriptors.ts';
import type { ProbeCalls } from './probe.ts';
import { ask } from './wire.ts';

/** What a server holds, of each kind how much. */
export interface Account {
  /** By its own metrics. */
  readonly connections: number;
  readonly subscriptions: number;
  readonly feeds: number;
  readonly catchUpReaders: number;
  readonly queuedBytes: number;
  /** By the kernel. */
  readonly descriptors: number;
  readonly clientSockets: number;
  readonly kafkaConnections: number;
  /** By Node: what would keep the process running. */
  readonly timers: number;
  readonly sockets: number;
  readonly heapBytes: number;
}

type Kind = keyof Account;

/** How much more than at first may be there. */
export interface Margin {
  readonly heapShare: number;
  readonly heapBytes: number;
}

/** Between two looks. */
const everyMs = 300;
/** Looks for a baseline. */
const first = 6;

/** Keeps account of one server. */
export class Accountant {
  readonly #server: ServerProcess;
  readonly #brokers: readonly string[];
  readonly #probe: Remote<ProbeCalls>;

  constructor(server: ServerProcess, brokers: readonly string[]) {
    this.#server = server;
    this.#brokers = brokers;
    this.#probe = new Remote(server.process);
  }

  /**
   * Of each kind the median of several looks: something passing is going on all the time. Not the least: a feed that just
   * asks for its topic's leaders has no timer that waits to do so, and then it would have one too many ever after.
   */
  async baseline(): Promise<Account> {
    const looks: [Account, ...Account[]] = [await this.#look()];
    while (looks.length < first) {
      await sleep(everyMs);
      looks.push(await this.#look());
    }
    return medianOf(looks);
  }

  /**
   * Looks until nothing is more than it was, or `withinMs` are over: what is held for good is in every look,
   * what is passing is not.
   *
   * @returns of each kind the least
   */
  async return(baseline: Account, margin: Margin, withinMs: number): Promise<Account> {
    const deadline = Date.now() + withinMs;
    let least = await this.#look();
    while (remainsOf(least, baseline, margin).length > 0 && Date.now() < deadline) {
      await sleep(everyMs);
      least = leastOf(least, await this.#look());
    }
    return least;
  }

  async snapshot(file: string): Promise<void> {
    await this.#probe.call('snapshot', file);
  }

  async #look(): Promise<Account> {
    const { body } = await ask({ url: `${this.#server.url}/metrics` });
    const series = [...seriesOf(body)];
    const metric = (name: string): number =>
      series
        .filter(([key]) => key === name || key.startsWith(`${name}{`))
        .reduce((sum, [, value]) => sum + value, 0);
    const { pid = 0 } = this.#server.process;
    const port = Number(new URL(this.#server.url).port);
    const { all, kafka, clients } = descriptorsOf(pid, port, this.#brokers);
    const { heapBytes, resources } = await this.#probe.call('inside');
    return {
      connections: metric('millrace_connections'),
      subscriptions: metric('millrace_subscriptions'),
      feeds: metric('millrace_feeds'),
      catchUpReaders: metric('millrace_catch_up_readers'),
      queuedBytes: metric('millrace_queue_bytes'),
      descriptors: all,
      clientSockets: clients,
      kafkaConnections: kafka,
      timers: resources['Timeout'] ?? 0,
      sockets: resources['TCPSocketWrap'] ?? 0,
      heapBytes,
    };
  }
}

/** In words, what there is more of than there was. */
export function remainsOf(now: Account, baseline: Account, margin: Margin): string[] {
  return kindsOf(baseline)
    .filter((kind) => now[kind] > mostOf(kind, baseline[kind], margin))
    .map((kind) => `${kind}: ${now[kind]} instead of ${baseline[kind]}`);
}

function mostOf(kind: Kind, was: number, { heapShare, heapBytes }: Margin): number {
  return kind === 'heapBytes' ? was * (1 + heapShare) + heapBytes : was;
}

/** Of an even number the lower one. */
function medianOf(looks: readonly [Account, ...Account[]]): Account {
  const median = { ...looks[0] };
  for (const kind of kindsOf(median)) {
    const sorted = looks.map((look) => look[kind]).toSorted((a, b) => a - b);
    median[kind] = sorted[Math.floor((looks.length - 1) / 2)] ?? 0;
  }
  return median;
}

function leastOf(one: Account, other: Account): Account {
  const least = { ...one };
  for (const kind of kindsOf(one)) least[kind] = Math.min(one[kind], other[kind]);
  return least;
}

function kindsOf(account: Account): Kind[] {
  return Object.keys(account).filter((kind): kind is Kind => kind in account);
}
