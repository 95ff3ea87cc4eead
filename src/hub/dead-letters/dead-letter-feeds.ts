import type { Principal } from '../../auth/principal.ts';
import type { Clock } from '../../core/clock.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';
import { Cursors } from '../cursors.ts';
import type { Feed } from '../feed.ts';
import type { FeedLease, FeedRegistry, FeedSource, PrivateFeed } from '../feed-registry.ts';
import type { CatchUpStart } from '../resume/catch-up.ts';
import type { ReaderLease } from '../resume/reader-lease.ts';
import { DeadLetterStream, type OfBoth } from './dead-letter-stream.ts';

export interface DeadLetterFeedsOptions {
  readonly registry: FeedRegistry;
  readonly clock: Clock;
  /** How much each stream remembers of what it delivered, in bytes. */
  readonly historyBytes: number;
}

/** The use of a stream; `release` gives it back, once. */
export interface DeadLetterLease {
  readonly stream: DeadLetterStream;
  readonly feeds: OfBoth<Feed>;
  /** Resolves when it has begun; rejects with the `MillraceError` that prevents it. */
  readonly started: Promise<void>;
  release(): void;
}

/** Puts feeds together in pairs, each of a topic and its dead-letter topic. */
export class DeadLetterFeeds {
  readonly #options: DeadLetterFeedsOptions;
  /** By the feed of the topic: forgotten with it. */
  readonly #shared = new WeakMap<Feed, DeadLetterStream>();

  constructor(options: DeadLetterFeedsOptions) {
    this.#options = options;
  }

  /** Of those that are shared. @throws {MillraceError} as `FeedRegistry.lease` */
  lease(principal: Principal, sources: OfBoth<FeedSource>): DeadLetterLease {
    const { registry } = this.#options;
    const leases: FeedLease[] = [];
    let stream: DeadLetterStream | undefined;
    const release = (): void => {
      for (const lease of leases) {
        // Without its topic a dead-letter topic is of no use: whoever makes up names would leave one for each.
        if (stream?.hasEnded === true) lease.releaseForGood();
        else lease.release();
      }
    };
    try {
      for (const source of sources) leases.push(registry.lease(principal, source));
      const feeds = bothOf(leases.map(({ feed }) => feed));
      stream = this.#shared.get(feeds[0]);
      // With either of its feeds it ends.
      if (stream === undefined || stream.hasEnded) {
        stream = this.#open(feeds, sources);
        this.#shared.set(feeds[0], stream);
      }
      return { stream, feeds, started: startedOf(feeds), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Of two feeds of their own, which are one reader of the project.
   *
   * @param topicIds of the topics that the position is of; `null`: not known
   * @throws {MillraceError} `LIMIT_EXCEEDED`
   */
  leasePast(
    principal: Principal,
    sources: OfBoth<FeedSource>,
    start: CatchUpStart,
    topicIds: OfBoth<string | null>,
  ): ReaderLease<DeadLetterStream> {
    const { registry } = this.#options;
    const lease = registry.leasePrivate(principal, principal.projectId, [
      privateFeed(sources[0], start, topicIds[0], 0),
      privateFeed(sources[1], start, topicIds[1], 1),
    ]);
    const feeds = bothOf(lease.feeds);
    const stream = this.#open(feeds, sources);
    const failed = new Map<unknown, 0 | 1>();
    for (const side of [0, 1] as const) {
      feeds[side].started.catch((error: unknown) => failed.set(error, side));
    }
    return {
      kafkaTopic: sources[1].kafkaTopic,
      stream,
      started: startedOf(feeds),
      get hasCaughtUp() {
        return feeds.every((feed) => feed.hasCaughtUp);
      },
      pause: () => {
        for (const feed of feeds) feed.pause();
      },
      resume: () => {
        for (const feed of feeds) feed.resume();
      },
      holds: (position) =>
        feeds[0].holds(lanesOf(position, 0)) && feeds[1].holds(lanesOf(position, 1)),
      concerned: (error, position) => lanesOf(position, failed.get(error) ?? 0),
      release: () => {
        stream.close();
        lease.release();
      },
    };
  }

  #open(feeds: OfBoth<Feed>, [source, deadLetters]: OfBoth<FeedSource>): DeadLetterStream {
    const { registry, clock, historyBytes } = this.#options;
    let topicIds: OfBoth<string | null> = [null, null];
    return new DeadLetterStream({
      feeds,
      clock,
      historyBytes,
      cursorsOf: (projectId) =>
        new Cursors({
          key: () => registry.keys.cursorKey,
          binding: {
            projectId,
            kafkaTopic: source.kafkaTopic,
            stream: { kind: 'deadLetters', deadLetterTopic: deadLetters.kafkaTopic },
          },
          // The same array while they are the same: see `CursorCodec.encode`.
          topicIds: () => {
            const [ofTopic, ofDeadLetterTopic] = [feeds[0].topicId, feeds[1].topicId];
            if (topicIds[0] !== ofTopic || topicIds[1] !== ofDeadLetterTopic) {
              topicIds = [ofTopic, ofDeadLetterTopic];
            }
            return topicIds;
          },
        }),
    });
  }
}

function privateFeed(
  source: FeedSource,
  { position, isShared, furthest }: CatchUpStart,
  topicId: string | null,
  side: 0 | 1,
): PrivateFeed {
  const own = { key: null, next: furthest, lowest: furthest };
  const start = {
    at: 'position',
    position: lanesOf(position, side),
    isShared,
    furthest: lanesOf(own, side).next,
    topicId,
  } as const;
  return { source, start };
}

/** Of a position of dead letters the lanes of one of the two topics. */
function lanesOf({ next, epochs }: StreamPosition, side: 0 | 1): StreamPosition {
  const isOwn = (_: unknown, lane: number): boolean => lane % 2 === side;
  const own = next.filter(isOwn);
  return { key: null, next: own, lowest: own, epochs: epochs?.filter(isOwn) };
}

async function bothStarted(feeds: OfBoth<Feed>): Promise<void> {
  await Promise.all(feeds.map(({ started }) => started));
}

function startedOf(feeds: OfBoth<Feed>): Promise<void> {
  const started = bothStarted(feeds);
  // As of a feed: who is refused before it comes to wait does not look at it.
  started.catch(() => undefined);
  return started;
}

function bothOf<T>([ofTopic, ofDeadLetterTopic]: readonly T[]): OfBoth<T> {
  if (ofTopic === undefined || ofDeadLetterTopic === undefined) throw new Error('one is missing');
  return [ofTopic, ofDeadLetterTopic];
}
