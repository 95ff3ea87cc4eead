import type { EventOrder } from '../sequence/order.ts';

/** How one topic's records are read, ordered and de-duplicated. */
export interface TopicSettings {
  /** Dotted path of the event's id. */
  readonly id: string;
  /** Dotted path of the event's own time. */
  readonly timestamp: string;
  /** Dotted path of the sender's sequence number. */
  readonly sequence: string;
  /** The order for subscriptions that ask for none. */
  readonly order: EventOrder;
  /** How far an event may be behind and still find its place, in milliseconds. */
  readonly latenessMs: number;
  /** How far an event's own time may be ahead of the broker's, in milliseconds. */
  readonly maxAdvanceMs: number;
  /** How far apart two copies of an event may be and still count as one, in milliseconds. */
  readonly dedupWindowMs: number;
  readonly maxDedupBytes: number;
  readonly maxHeldBytes: number;
  /** A partition without an answer for so long no longer holds the others back, in milliseconds. */
  readonly maxStallMs: number;
}
