import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
import type { PartitionOffsets } from '../kafka/port.ts';
import type { FeedRegistry, FeedSource } from './feed-registry.ts';
import type { RefusalOf } from './kafka-refusal.ts';
import { offsetsSince } from './offsets-since.ts';
import { CatchUp, type CatchUpStart } from './resume/catch-up.ts';
import type { Followed } from './resume/followed.ts';
import type { ReaderLease } from './resume/reader-lease.ts';

export interface PastOptions {
  readonly registry: FeedRegistry;
  readonly clock: Clock;
  readonly refusalOf: RefusalOf;
}

/** What those need who go back in the log. */
export class Past {
  readonly #options: PastOptions;

  constructor(options: PastOptions) {
    this.#options = options;
  }

  /** See `offsetsSince`. */
  offsetsSince(
    principal: Principal,
    source: FeedSource,
    timestampMs: number,
    over: AbortSignal,
  ): Promise<PartitionOffsets | undefined> {
    const { registry, clock, refusalOf } = this.#options;
    const { clients } = registry;
    return offsetsSince(principal, source, { timestampMs, over }, { clients, clock, refusalOf });
  }

  /** Readers for those of a project who come back to a stream. @param open called when there is a place for one */
  catchUp<S extends Followed<unknown>>(
    projectId: string,
    open: (start: CatchUpStart) => ReaderLease<S>,
  ): CatchUp<S> {
    const { registry, clock } = this.#options;
    return new CatchUp({
      clock,
      open: (start) => (registry.hasPrivatePlace(projectId) ? open(start) : undefined),
      whenFree: (tell) => registry.whenPrivatePlace(projectId, tell),
      isAwaited: () => registry.isPrivatePlaceAwaited(projectId),
    });
  }
}
