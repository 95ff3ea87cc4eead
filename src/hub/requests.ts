import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import type { PropertyFilter } from '../decode/property-filter.ts';
import type { EventOrder } from '../sequence/order.ts';
import type { Delivery } from './delivery.ts';

/** What is subscribed to. */
export type SubscriptionKind = 'events' | 'eventBatches' | 'deadLetters';

/** Where a subscription begins; without either, with what comes from now on. */
export interface Start {
  /** Start at the first record at or after this broker time, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** Go on after the message that had this cursor. */
  readonly after?: string | undefined;
}

export interface EventsRequest extends Start {
  readonly topic: string;
  readonly order?: EventOrder | undefined;
  readonly deduplicate: boolean;
  readonly where: readonly PropertyFilter[];
  /** Of what passes. @default all */
  readonly delivery?: Delivery | undefined;
}

export interface DeadLettersRequest extends Start {
  readonly topic: string;
}

/** How far `since` may be ahead of our clock, as the clocks of subscribers may be, in milliseconds. */
const maxAheadMs = 60_000;

/** @throws {MillraceError} `BAD_USER_INPUT` */
export function checkStart({ sinceMs, after }: Start, clock: Clock): void {
  if (sinceMs === undefined) return;
  if (after !== undefined) {
    const message = 'give since or after, not both: each says where to begin';
    throw new MillraceError('BAD_USER_INPUT', message, { argument: 'since' });
  }
  const aheadMs = sinceMs - clock.now();
  if (aheadMs <= maxAheadMs) return;
  const message = `since must not be in the future: it is ${Math.ceil(aheadMs / 1_000)} s ahead of the server's clock, which is more than clocks may differ by (${maxAheadMs / 1_000} s)`;
  throw new MillraceError('BAD_USER_INPUT', message, { argument: 'since' });
}
