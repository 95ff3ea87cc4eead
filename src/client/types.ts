import type { FeedError, Loss } from './feed-error.ts';
import type { Operator } from './operators.ts';

/** An event, as PROTOCOL.md has it. */
export interface Event<Payload = unknown> {
  /** The event's own id; null if it has none. */
  readonly id: string | null;
  readonly topic: string;
  /** The event's own time, RFC 3339 in UTC, never less precise than it came. */
  readonly timestamp: string;
  /** The sender's number, in decimal digits. */
  readonly sequence: string | null;
  /** The record's own JSON. `JSON.parse` rounds integers beyond 2^53: see `ClientOptions.parse`. */
  readonly payload: Payload;
  readonly partition: number;
  /** In decimal digits. */
  readonly offset: string;
  /** The broker's time, RFC 3339. */
  readonly recordedAt: string;
  /** Its place in the order had already gone by, or its time is out of bounds. */
  readonly late: boolean;
  /** How many events `delivery` has left out since the message before; 0 with `ALL`. */
  readonly omitted: number;
  /** Goes on exactly after this event, as `after`. */
  readonly cursor: string;
}

/** What could not become an event, as PROTOCOL.md has it. */
export interface DeadLetter {
  /** The original payload, verbatim. It may be invalid JSON. */
  readonly event: string;
  readonly error: string;
  /** `UPSTREAM`: from the dead-letter topic; `BRIDGE`: a record of the topic itself. */
  readonly source: 'UPSTREAM' | 'BRIDGE';
  readonly topic: string;
  readonly partition: number;
  /** In decimal digits. */
  readonly offset: string;
  /** The broker's time, RFC 3339. */
  readonly recordedAt: string;
  /** Goes on exactly after this dead letter, as `after`. */
  readonly cursor: string;
}

/** A condition on a property, see docs/filters.md. */
export interface Condition {
  /** A dotted path: `user.email`. */
  readonly property: string;
  /** @default EQ */
  readonly operator?: Operator;
  readonly value?: unknown;
}

/** How many of the events are delivered, see docs/delivery.md. */
export interface Delivery {
  /** All, the newest of each value of `by`, or one, each `everyMs`. */
  readonly mode: 'ALL' | 'LATEST' | 'SAMPLE';
  /** A dotted path, for `LATEST`. @default the newest of all */
  readonly by?: string;
  /** For `LATEST` and `SAMPLE`: 10 to 60000. @default 250 */
  readonly everyMs?: number;
}

/** What is used of a `Storage`. */
export interface CursorStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** Where to go on when the log no longer holds what follows the cursor. */
export type AfterLoss = 'stop' | 'earliest' | 'now';

export interface FeedOptions {
  /** Go on after the message that had this cursor. One in `storage` comes before it. */
  readonly after?: string | undefined;
  /** Begin at the first record whose broker time is at or after this. @default with what comes from now on */
  readonly since?: string | Date | undefined;
  /**
   * Keeps the cursor, so that the next page goes on where this one was left: `sessionStorage`, for one tab, or
   * anything like it. It is written when an item has been dealt with. @default none
   */
  readonly storage?: CursorStorage | undefined;
  /**
   * Of two open feeds with the same storage and key, the second ends with `BAD_USER_INPUT`.
   *
   * @default made of the feed's address, with all that makes it another feed
   */
  readonly storageKey?: string | undefined;
  /**
   * What to do when what follows the cursor is lost, or the stored cursor is of another feed: the error says
   * which ranges are gone. `earliest` goes on with the oldest that the log still holds, `now` with what comes.
   *
   * @default stop: the feed ends with the error
   */
  readonly onLoss?: AfterLoss | ((loss: Loss) => AfterLoss) | undefined;
  /** Closes the feed; iterating then throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Most characters of JSON that wait for an app that is busy. Beyond it the connection is given up, and the
   * feed goes on from there when half of it is dealt with: nothing is lost. @default 4_000_000
   */
  readonly maxWaiting?: number | undefined;
}

export interface EventsOptions extends FeedOptions {
  /** Only events for which all conditions hold. @default all events */
  readonly where?: readonly Condition[] | undefined;
  /** @default the one that the topic is configured with */
  readonly order?: 'ARRIVAL' | 'TIMESTAMP' | 'SEQUENCE' | undefined;
  /** Whether to leave out events whose id has been delivered. @default true */
  readonly deduplicate?: boolean | undefined;
  /** @default all events */
  readonly delivery?: Delivery | undefined;
}

/** What a feed is doing. */
export type FeedState =
  | {
      readonly name: 'connecting';
      /** Attempts since the last connection that held, this one included. */
      readonly attempt: number;
    }
  /** Connected; what comes was recorded before. */
  | { readonly name: 'catching-up' }
  /** Connected; what is recorded comes at once. */
  | { readonly name: 'live' }
  /** Not connected; it connects again by itself. */
  | {
      readonly name: 'waiting';
      readonly reason: FeedError;
      /** When, in milliseconds since 1970; undefined: when the app has dealt with what waits for it. */
      readonly untilMs: number | undefined;
    }
  /** For good. `DONE`: by the app, without an `error`. */
  | { readonly name: 'closed'; readonly code: 'DONE' }
  | { readonly name: 'closed'; readonly code: FeedError['code']; readonly error: FeedError };

/** Who is told of a feed's items. */
export interface Observer<Item> {
  /**
   * Called with each item, in order. The item counts as dealt with when it has returned, or when the promise
   * that it returned has resolved, for which the next item waits. What it throws closes the feed.
   */
  readonly next: (item: Item) => unknown;
  /** Called once if the feed ends by an error, or by what `next` threw. */
  readonly error?: (error: unknown) => void;
  /** Called with each new state. */
  readonly state?: (state: FeedState) => void;
}
