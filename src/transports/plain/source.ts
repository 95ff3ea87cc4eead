import type { Principal } from '../../auth/principal.ts';
import type { StreamPosition } from '../../hub/cursor/stream-position.ts';
import type { Message } from '../../hub/message.ts';
import type { Subscriber } from '../../hub/subscriber.ts';
import type { FeedAddress } from './request.ts';

/** What is used of a subscription of the hub, whatever it holds. */
export interface Source {
  attach(subscriber: Subscriber<Message>): void;
  leave(): void;
  /** See `Subscription.startCursor`. */
  readonly startCursor: string | undefined;
  /** See `Subscription.fellBehind`. */
  fellBehind(position: StreamPosition): void;
}

/** Subscribes to what the address says; rejects with a `MillraceError`. */
export type Subscribe = (principal: Principal, address: FeedAddress) => Promise<Source>;
