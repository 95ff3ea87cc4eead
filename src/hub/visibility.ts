import type { Principal } from '../auth/principal.ts';
import { MillraceError } from '../core/errors.ts';
import type { FeedCounts } from './feed-counts.ts';

/**
 * Whether a filter hides events from the principal. Then nothing else may tell of them either: no dead
 * letters, and no counts.
 */
export function isFiltered({ filter }: Pick<Principal, 'filter'>): boolean {
  return filter.length > 0;
}

/** @throws {MillraceError} `FORBIDDEN`: a dead letter is never parsed, so no filter can let it pass */
export function assertSeesDeadLetters(principal: Pick<Principal, 'filter'>): void {
  if (!isFiltered(principal)) return;
  throw new MillraceError(
    'FORBIDDEN',
    'these credentials have a filter, and dead letters are never parsed to hold it against them',
  );
}

/** The counts with nothing that tells of hidden events: of a filtered principal's feeds the state alone. */
export function visibleCounts(
  principal: Pick<Principal, 'filter'>,
  counts: FeedCounts,
): FeedCounts {
  return isFiltered(principal) ? { ...noCounts, state: counts.state } : counts;
}

/** Of a topic that nobody has subscribed to. */
export const noCounts: Omit<FeedCounts, 'state'> = {
  subscribers: 0,
  received: 0,
  delivered: 0,
  duplicates: 0,
  late: 0,
  releasedEarly: 0,
  cutIntervals: 0,
  held: 0,
  lag: 0,
};
