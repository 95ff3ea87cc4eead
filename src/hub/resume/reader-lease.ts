import type { StreamPosition } from '../cursor/stream-position.ts';
import type { PrivateLease } from '../feed-registry.ts';
import type { Stream, StreamKey } from '../stream.ts';

/** The use of a stream that reads the past by itself, through one feed or two. */
export interface ReaderLease<S> {
  /** What it reads, or the main one of two. */
  readonly kafkaTopic: string;
  readonly stream: S;
  /** Resolves when it reads; rejects with the `MillraceError` that prevents it. */
  readonly started: Promise<void>;
  /** All that the log had has been read once, and handed out. */
  readonly hasCaughtUp: boolean;
  pause(): void;
  resume(): void;
  /** Whether the log is known to reach as far as the position. */
  holds(position: StreamPosition): boolean;
  /** What of a position the ranges of an error are about, with which it failed. */
  concerned(error: unknown, position: StreamPosition): StreamPosition;
  release(): void;
}

/** Of events in one order. */
export function eventReader(lease: PrivateLease, key: StreamKey): ReaderLease<Stream> {
  const [feed] = lease.feeds;
  if (feed === undefined) throw new Error('a lease of nothing');
  const stream = feed.useStream(key);
  return {
    kafkaTopic: feed.kafkaTopic,
    stream,
    started: feed.started,
    get hasCaughtUp() {
      return feed.hasCaughtUp && stream.counters.held === 0;
    },
    pause: () => feed.pause(),
    resume: () => feed.resume(),
    holds: (position) => feed.holds(position),
    concerned: (_error, position) => position,
    release: () => {
      feed.releaseStream(stream);
      lease.release();
    },
  };
}
