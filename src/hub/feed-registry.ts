import type { Clock, Timer } from '../core/clock.ts';
import type { KafkaDriver } from '../kafka/port.ts';
import { perMinute } from '../observe/rate-limit.ts';
import { Turns } from '../core/turns.ts';
import { type ClientLease, ClientPool, type Login } from './client-pool.ts';
import { Feed, type FeedContent, type FeedOptions } from './feed.ts';
import type { FeedCounts } from './feed-counts.ts';
import type { FeedLogger } from './feed-health.ts';
import type { StartPoint } from './feed-start.ts';
import type { KeepingBounds } from './keeping.ts';
import { PerProject } from './per-project.ts';
import { SharedKeys } from './shared-keys.ts';
import { type RefusalOf, refusalOf as ofOwnLogin } from './kafka-refusal.ts';

/** What of a feed's options depends on the topic. */
export interface FeedSource
  extends Pick<
    FeedOptions,
    'topic' | 'kafkaTopic' | 'projectId' | 'openDecoder' | 'settings' | 'whenMissing' | 'holds'
  > {}

/** Most lines about topics that are not there, or not for whoever asks. */
const refusalLinesPerMinute = 30;

export interface FeedRegistryOptions {
  readonly driver: KafkaDriver;
  readonly clock: Clock;
  /** What all instances make their keys from; `null`: the cluster's id. */
  readonly secret: string | null;
  /** How much each stream remembers of what it delivered, for those who come back. */
  readonly historyBytes: number;
  /** How much is kept for batches and intervals. */
  readonly keeping: KeepingBounds;
  /** @default every login is the client's own */
  readonly refusalOf?: RefusalOf;
  /** How long a feed goes on without subscribers, in milliseconds. */
  readonly lingerMs: number;
  /** Most records that a feed reads at its start for their ids only. */
  readonly maxWarmUpRecords: number;
  /** Private feeds, which read the past, that one project may have at a time. */
  readonly maxCatchUpReadersPerProject: number;
  /** Shared feeds of one project; of topics that projects share, of all of them together. */
  readonly maxTopicsPerProject: number;
  readonly logger: FeedLogger;
  /** Told of each feed that nobody reads any more, with what it had done. @default nobody */
  readonly onFeedClosed?: ((feed: Feed) => void) | undefined;
}

/** The use of a feed; `release` gives it back, once. */
export interface FeedLease {
  readonly feed: Feed;
  release(): void;
  /** As `release`, of one that nobody is expected to come back to: it is not read on for a while. */
  releaseForGood(): void;
}

/** What a private feed reads. */
export interface PrivateFeed {
  readonly source: FeedSource;
  readonly start: StartPoint;
}

/** The use of private feeds; `release` gives them back, once. */
export interface PrivateLease {
  /** As they were asked for. */
  readonly feeds: readonly Feed[];
  release(): void;
}

interface SharedFeed {
  readonly key: string;
  readonly feed: Feed;
  readonly client: ClientLease;
  leases: number;
  idle: Timer | undefined;
}

/** What the leases of shared feeds need of the registry, when nobody is left. */
interface LeaseHost {
  readonly closeWhenIdle: (shared: SharedFeed) => void;
  readonly close: (shared: SharedFeed) => void;
}

/** There may be very many: no functions of its own. */
class SharedLease implements FeedLease {
  readonly #host: LeaseHost;
  readonly #shared: SharedFeed;
  #isReleased = false;

  constructor(host: LeaseHost, shared: SharedFeed) {
    this.#host = host;
    this.#shared = shared;
  }

  get feed(): Feed {
    return this.#shared.feed;
  }

  release(): void {
    if (this.#isLast()) this.#host.closeWhenIdle(this.#shared);
  }

  releaseForGood(): void {
    if (this.#isLast()) this.#host.close(this.#shared);
  }

  #isLast(): boolean {
    if (this.#isReleased) return false;
    this.#isReleased = true;
    this.#shared.leases -= 1;
    return this.#shared.leases === 0;
  }
}

/** What is left of a feed that failed: nothing but what it had done. */
interface FailedFeed {
  readonly counts: FeedCounts;
  readonly expiry: Timer;
}

/**
 * One feed for each (login, Kafka topic, what it holds), however many subscribers: started for the first, kept for a
 * while after the last.
 */
export class FeedRegistry {
  readonly clients: ClientPool;
  readonly #options: FeedRegistryOptions;
  /** What all instances have in common, as far as it is known. */
  readonly keys: SharedKeys;
  readonly #shared = new Map<string, SharedFeed>();
  /** Those that nobody reads, for longest first. */
  readonly #idle = new Set<SharedFeed>();
  readonly #host: LeaseHost = {
    closeWhenIdle: (shared) => this.#closeWhenIdle(shared),
    close: (shared) => this.#close(shared),
  };
  readonly #private = new Set<Feed>();
  readonly #failed = new Map<string, FailedFeed>();
  readonly #privatePerProject: PerProject;
  readonly #sharedPerProject: PerProject;
  /** Of all private feeds together. */
  readonly #turns = new Turns();

  /** Whoever has a key may ask for any name, as often as they like: the log is not theirs to fill. */
  readonly #logRefusal: FeedOptions['logRefusal'];

  constructor(options: FeedRegistryOptions) {
    this.#options = options;
    this.keys = new SharedKeys(options.secret);
    this.#logRefusal = perMinute(options.clock, refusalLinesPerMinute, (refusal) =>
      options.logger.info(refusal, 'feed refused'),
    );
    this.clients = new ClientPool(options.driver, options.clock, options.lingerMs);
    this.#privatePerProject = new PerProject({
      max: options.maxCatchUpReadersPerProject,
      what: 'readers of the past',
      limit: 'limits.catchUpReadersPerProject',
    });
    this.#sharedPerProject = new PerProject({
      max: options.maxTopicsPerProject,
      what: 'topics that are read',
      limit: 'limits.topicsPerProject',
    });
  }

  /** All feeds there are, shared and private. */
  *feeds(): Generator<Feed> {
    for (const { feed } of this.#shared.values()) yield feed;
    yield* this.#private;
  }

  /** Of the shared feed, or of the last one for a while after it failed; undefined: there is none. */
  countsOf(login: Login, kafkaTopic: string, holds: FeedContent): FeedCounts | undefined {
    const key = keyOf(login, kafkaTopic, holds);
    return this.#shared.get(key)?.feed.counts ?? this.#failed.get(key)?.counts;
  }

  /**
   * @throws {MillraceError} `KAFKA_UNAVAILABLE`: after `close`; `LIMIT_EXCEEDED`: it would be one topic too many of the
   *   project, and somebody reads each of the others
   */
  lease(login: Login, source: FeedSource): FeedLease {
    const key = keyOf(login, source.kafkaTopic, source.holds);
    const shared = this.#shared.get(key) ?? this.#open(key, login, source);
    shared.leases += 1;
    shared.idle?.cancel();
    this.#idle.delete(shared);
    return new SharedLease(this.#host, shared);
  }

  /**
   * Feeds of their own that start in the past, all for one use. Throws `LIMIT_EXCEEDED` when the project has too
   * many of these.
   */
  leasePrivate(login: Login, projectId: string, feeds: readonly PrivateFeed[]): PrivateLease {
    const undo = [this.#privatePerProject.take(projectId)];
    const release = once(() => {
      for (const step of undo) step();
    });
    try {
      const opened = feeds.map(({ source, start }) => {
        const client = this.clients.lease(login);
        const feed = this.#feed(source, {
          client: client.client,
          start,
          turns: this.#turns,
          onFailed: ignored,
        });
        this.#private.add(feed);
        undo.push(() => {
          this.#private.delete(feed);
          this.#options.onFeedClosed?.(feed);
          void feed.close().finally(() => client.release());
        });
        return feed;
      });
      return { feeds: opened, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Whether `leasePrivate` has room for one more. */
  hasPrivatePlace(projectId: string): boolean {
    return this.#privatePerProject.hasPlace(projectId);
  }

  /** Whether somebody of the project waits for that. */
  isPrivatePlaceAwaited(projectId: string): boolean {
    return this.#privatePerProject.isAwaited(projectId);
  }

  /** Calls `tell` once, when the project has one private feed less. @returns ends that */
  whenPrivatePlace(projectId: string, tell: () => void): () => void {
    return this.#privatePerProject.whenFree(projectId, tell);
  }

  async close(): Promise<void> {
    const shared = [...this.#shared.values()];
    this.#shared.clear();
    this.#idle.clear();
    for (const { idle } of shared) idle?.cancel();
    for (const { expiry } of this.#failed.values()) expiry.cancel();
    this.#failed.clear();
    await Promise.all([
      ...shared.map(({ feed }) => feed.close()),
      ...[...this.#private].map((feed) => feed.close()),
    ]);
    await this.clients.close();
  }

  #open(key: string, login: Login, source: FeedSource): SharedFeed {
    const projectId = source.projectId ?? '';
    this.#makeRoom(projectId);
    const client = this.clients.lease(login);
    this.#sharedPerProject.occupy(projectId);
    const feed = this.#feed(source, {
      client: client.client,
      start: { at: 'acceptance', acceptedAtMs: this.#options.clock.now() },
      // A failed feed serves nobody: the next subscriber gets a new one.
      onFailed: (began) => {
        if (began) this.#remember(shared);
        this.#close(shared);
      },
    });
    const shared: SharedFeed = { key, feed, client, leases: 0, idle: undefined };
    this.#shared.set(key, shared);
    this.#failed.get(key)?.expiry.cancel();
    this.#failed.delete(key);
    return shared;
  }

  /**
   * Where a project has all that it may have, what nobody has read for longest is closed before its time.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`: somebody reads each of them
   */
  #makeRoom(projectId: string): void {
    if (!this.#sharedPerProject.hasPlace(projectId)) {
      const idle = this.#idle.values().find(({ feed }) => (feed.projectId ?? '') === projectId);
      if (idle !== undefined) this.#close(idle);
    }
    this.#sharedPerProject.assertPlace(projectId);
  }

  /** Only of feeds that began: there are as many as topics, not as anybody can think of. */
  #remember(shared: SharedFeed): void {
    const { key } = shared;
    if (this.#shared.get(key) !== shared) return;
    const { clock, lingerMs } = this.#options;
    const expiry = clock.schedule(lingerMs, () => this.#failed.delete(key));
    this.#failed.set(key, { counts: shared.feed.counts, expiry });
  }

  #feed(
    source: FeedSource,
    use: Pick<FeedOptions, 'client' | 'start' | 'turns' | 'onFailed'>,
  ): Feed {
    const { clock, lingerMs, historyBytes, keeping, logger } = this.#options;
    const logRefusal = this.#logRefusal;
    const { refusalOf = ofOwnLogin } = this.#options;
    return new Feed({
      ...source,
      ...use,
      clock,
      keys: this.keys,
      lingerMs,
      historyBytes,
      keeping,
      maxWarmUpRecords: this.#options.maxWarmUpRecords,
      logger,
      logRefusal,
      refusalOf,
    });
  }

  #closeWhenIdle(shared: SharedFeed): void {
    if (this.#shared.get(shared.key) !== shared) return;
    const { clock, lingerMs } = this.#options;
    shared.idle = clock.schedule(lingerMs, () => this.#close(shared));
    this.#idle.add(shared);
  }

  #close(shared: SharedFeed): void {
    if (this.#shared.get(shared.key) !== shared) return;
    this.#shared.delete(shared.key);
    this.#idle.delete(shared);
    shared.idle?.cancel();
    this.#sharedPerProject.giveBack(shared.feed.projectId ?? '');
    this.#options.onFeedClosed?.(shared.feed);
    void shared.feed.close().finally(() => shared.client.release());
  }
}

function keyOf({ loginId }: Login, kafkaTopic: string, holds: FeedContent): string {
  return `${loginId} ${holds} ${kafkaTopic}`;
}

function ignored(): void {
  // Who uses it is told by its streams.
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    action();
  };
}
