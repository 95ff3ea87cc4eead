import { type Backoff, backoffMs } from './backoff.ts';
import { Connection, type Patience } from './connection.ts';
import type { Credentials, Shown } from './credentials.ts';
import { FeedError, isLoss, isPassing, type Loss } from './feed-error.ts';
import { Inbox, type Received } from './inbox.ts';
import { Place } from './place.ts';
import type { Surroundings } from './surroundings.ts';
import type { FeedOptions, FeedState, Observer } from './types.ts';

/** What a feed needs of its client. */
export interface FeedContext {
  /** Without where it begins. */
  readonly address: URL;
  readonly credentials: Credentials;
  readonly backoff: Required<Backoff>;
  readonly patience: Required<Patience>;
  readonly parse: typeof JSON.parse;
  readonly surroundings: Surroundings;
  /** It cannot be had: it is closed with this at once. */
  readonly refusal: FeedError | undefined;
  /** Called once, when it is closed; maybe at once. */
  readonly onClosed: (feed: { close(): void }) => void;
}

/** An event or a dead letter. */
export interface Placed {
  readonly cursor: string;
}

interface Pull<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** @default FeedOptions.maxWaiting */
const defaultMaxWaiting = 4_000_000;
/** Tokens that were made for the attempt and refused, one after the other. */
const maxRefusals = 3;
const theBeginning = '1970-01-01T00:00:00Z';

/**
 * One topic's events or dead letters, over however many connections: each once, in order.
 *
 * It connects when it is made. It is either iterated or subscribed to, once; what comes before that waits. In a
 * loop an item counts as dealt with when the next one is asked for; the one with which the loop is left does not.
 */
export class Feed<Item extends Placed> implements AsyncIterableIterator<Item, undefined> {
  readonly #context: FeedContext;
  readonly #options: FeedOptions;
  readonly #place: Place;
  readonly #inbox = new Inbox<Item>();
  readonly #listeners = new Set<(state: FeedState) => void>();
  #state: FeedState = { name: 'connecting', attempt: 1 };
  #connection: Connection<Item> | undefined;
  /** Where the next connection goes on: the last that was received. */
  #next: string | undefined;
  #since: string | undefined;
  #failures = 0;
  #refusals = 0;
  /** Since when the connection is ready, in milliseconds since 1970. */
  #readyMs: number | undefined;
  #stopWaiting: (() => void) | undefined;
  #unwatch: (() => void)[] = [];
  #isTaken = false;
  #observer: Observer<Item> | undefined;
  #pulls: Pull<Item>[] = [];
  /** With the app. */
  #current: Received<Item> | undefined;
  /** What whoever iterates is still to be told. */
  #failure: { readonly error: unknown } | undefined;

  /** Made by `Client.events` and `Client.deadLetters`. */
  constructor(context: FeedContext, options: FeedOptions) {
    const { address, surroundings } = context;
    const { after, since, storage, storageKey = `millrace ${address.href}`, signal } = options;
    this.#context = context;
    this.#options = options;
    this.#place = new Place({ after, storage, key: storageKey });
    this.#next = this.#place.cursor;
    this.#since = since instanceof Date ? since.toISOString() : since;
    if (signal?.aborted) {
      this.#abort(signal);
      return;
    }
    if (context.refusal !== undefined) {
      this.#fail(context.refusal);
      return;
    }
    if (signal !== undefined) {
      const abort = (): void => this.#abort(signal);
      signal.addEventListener('abort', abort);
      this.#unwatch.push(() => signal.removeEventListener('abort', abort));
    }
    const goOn = (): void => {
      if (this.#stopWaiting !== undefined) this.#connect();
    };
    this.#unwatch.push(surroundings.watchOnline(goOn));
    this.#connect();
  }

  get state(): FeedState {
    return this.#state;
  }

  /** That of the last item that was dealt with, or of a later report of progress. To be stored with what was done. */
  get cursor(): string | undefined {
    return this.#place.cursor;
  }

  /** Calls `listener` with each new state. Works without its object. @returns ends that */
  readonly watch = (listener: (state: FeedState) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /**
   * Hands each item to `observer`, or to its `next` if it is only that. An error that no `error` is there for is
   * thrown as an uncaught one.
   *
   * @returns closes the feed
   * @throws {TypeError} if it is iterated or subscribed to already
   */
  subscribe(observer: Observer<Item> | Observer<Item>['next']): () => void {
    this.#takeOnce();
    const told = typeof observer === 'function' ? { next: observer } : observer;
    this.#observer = told;
    told.state?.(this.#state);
    this.#pump(told);
    this.#tellFailure();
    return () => this.close();
  }

  [Symbol.asyncIterator](): this {
    this.#takeOnce();
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    this.#dealt();
    const received = this.#take();
    if (received !== undefined) return Promise.resolve({ done: false, value: received.item });
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure.error);
    if (this.#state.name === 'closed') return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#pulls.push({ resolve, reject });
    });
  }

  /** As `close`. */
  return(): Promise<IteratorResult<Item, undefined>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends it. What is stored stays, so that another one goes on where this one was left. */
  close(): void {
    this.#inbox.clear();
    this.#end({ name: 'closed', code: 'DONE' });
  }

  #takeOnce(): void {
    if (this.#isTaken) throw new TypeError('a feed is iterated or subscribed to once');
    this.#isTaken = true;
  }

  #connect(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    this.#readyMs = undefined;
    this.#become({ name: 'connecting', attempt: this.#failures + 1 });
    void this.#open();
  }

  async #open(): Promise<void> {
    const { credentials, backoff: _, ...context } = this.#context;
    try {
      const shown = await credentials.show();
      if (this.#state.name !== 'connecting') return;
      const options = { ...context, ...context.patience, url: this.#url() };
      this.#connection = new Connection<Item>(
        { ...options, credentials: shown.fields },
        {
          ready: () => this.#ready(),
          item: (item, size) => this.#receive(item, size),
          progress: (cursor, isLive) => this.#progress(cursor, isLive),
          ended: (error) => this.#ended(error, shown),
        },
      );
    } catch (error) {
      if (this.#state.name !== 'connecting') return;
      if (error instanceof FeedError && error.code === 'TOKEN_UNAVAILABLE') this.#wait(error);
      else this.#fail(error);
    }
  }

  #url(): string {
    const url = new URL(this.#context.address);
    if (this.#next !== undefined) url.searchParams.set('after', this.#next);
    else if (this.#since !== undefined) url.searchParams.set('since', this.#since);
    return url.href;
  }

  #ready(): void {
    this.#readyMs = this.#context.surroundings.now();
    this.#refusals = 0;
    const isFromNow = this.#next === undefined && this.#since === undefined;
    this.#become({ name: isFromNow ? 'live' : 'catching-up' });
  }

  #receive(item: Item, size: number): void {
    const { cursor } = item;
    this.#next = cursor;
    this.#inbox.put({ item, size, cursor });
    const [pull] = this.#pulls;
    if (this.#observer !== undefined) this.#pump(this.#observer);
    else if (pull !== undefined) {
      this.#pulls.shift();
      this.#dealt();
      this.#take();
      pull.resolve({ done: false, value: item });
    }
    if (this.#inbox.size > (this.#options.maxWaiting ?? defaultMaxWaiting)) this.#pause();
  }

  #progress(cursor: string, isLive: boolean): void {
    this.#next = cursor;
    const last = this.#inbox.last ?? this.#current;
    if (last === undefined) this.#place.moveTo(cursor);
    else last.cursor = cursor;
    if (isLive && this.#state.name === 'catching-up') this.#become({ name: 'live' });
  }

  /** Gives the connection up until the app has come so far: Kafka is the buffer. */
  #pause(): void {
    this.#forgetFailuresIfStable();
    this.#connection?.close();
    this.#connection = undefined;
    const message = 'more waits for the app than maxWaiting';
    const reason = new FeedError('TOO_SLOW', message);
    this.#become({ name: 'waiting', reason, untilMs: undefined });
  }

  /** The next item goes to the app. */
  #take(): Received<Item> | undefined {
    this.#current = this.#inbox.take();
    const { maxWaiting = defaultMaxWaiting } = this.#options;
    const isPaused = this.#state.name === 'waiting' && this.#state.untilMs === undefined;
    if (isPaused && this.#inbox.size <= maxWaiting / 2) this.#connect();
    return this.#current;
  }

  /** The app has dealt with what it was given. */
  #dealt(): void {
    if (this.#current !== undefined) this.#place.moveTo(this.#current.cursor);
    this.#current = undefined;
  }

  #pump(observer: Observer<Item>): void {
    while (this.#current === undefined) {
      const received = this.#take();
      if (received === undefined) return;
      try {
        const result = observer.next(received.item);
        if (isThenable(result)) {
          void this.#await(result, observer);
          return;
        }
      } catch (error) {
        return this.#giveUp(error);
      }
      this.#dealt();
    }
  }

  async #await(result: PromiseLike<unknown>, observer: Observer<Item>): Promise<void> {
    try {
      await result;
    } catch (error) {
      return this.#giveUp(error);
    }
    this.#dealt();
    this.#pump(observer);
    this.#tellFailure();
  }

  #ended(error: FeedError, shown: Shown): void {
    const { credentials, backoff } = this.#context;
    const wasReady = this.#readyMs !== undefined;
    const heldMs = this.#forgetFailuresIfStable();
    this.#connection = undefined;
    this.#readyMs = undefined;
    if (error.closeCode === 4403) {
      credentials.refused(shown);
      if (!credentials.canRenew) return this.#fail(error);
      // A server that lets it in and ends it at once would do so again and again.
      if (wasReady && heldMs < backoff.firstMs) return this.#wait(error);
      if (wasReady || !shown.isFresh) return this.#connect();
      this.#refusals += 1;
      // One that may not do this may not do it either in a moment.
      const isFinal = error.code === 'FORBIDDEN' || this.#refusals === maxRefusals;
      return isFinal ? this.#fail(error) : this.#wait(error);
    }
    // The app's own mistake is no loss.
    const isOwn = error.code === 'CURSOR_INVALID' && this.#next === this.#options.after;
    if (isLoss(error) && !isOwn) return this.#lost(error);
    if (isPassing(error)) this.#wait(error);
    else this.#fail(error);
  }

  /** @returns for how many milliseconds the connection has held */
  #forgetFailuresIfStable(): number {
    const { surroundings, backoff } = this.#context;
    const heldMs = surroundings.now() - (this.#readyMs ?? Number.POSITIVE_INFINITY);
    if (heldMs >= backoff.stableMs) this.#failures = 0;
    return heldMs;
  }

  #lost(loss: Loss): void {
    const { onLoss = 'stop' } = this.#options;
    const goOn = typeof onLoss === 'string' ? onLoss : onLoss(loss);
    if (goOn === 'stop') return this.#fail(loss);
    this.#place.forget();
    this.#next = undefined;
    this.#since = goOn === 'earliest' ? theBeginning : undefined;
    this.#wait(loss);
  }

  #wait(reason: FeedError): void {
    const { surroundings, backoff } = this.#context;
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, backoff, surroundings.random());
    this.#stopWaiting = surroundings.schedule(delayMs, () => this.#connect());
    this.#become({ name: 'waiting', reason, untilMs: surroundings.now() + delayMs });
  }

  #abort({ reason }: AbortSignal): void {
    this.#inbox.clear();
    if (this.#observer === undefined) this.#failure = { error: reason };
    this.#end({ name: 'closed', code: 'DONE' });
  }

  /** The app threw at an item, so it has not dealt with it, and nothing after it either. */
  #giveUp(error: unknown): void {
    this.#current = undefined;
    this.#inbox.clear();
    this.#failure = { error };
    this.#end({ name: 'closed', code: 'DONE' });
    // Closed already, while the app was busy.
    this.#tellFailure();
  }

  #fail(cause: unknown): void {
    const error =
      cause instanceof FeedError
        ? cause
        : new FeedError('BAD_USER_INPUT', `cannot connect: ${String(cause)}`, { cause });
    this.#failure = { error };
    this.#end({ name: 'closed', code: error.code, error });
  }

  #end(state: FeedState): void {
    if (this.#state.name === 'closed') return;
    this.#connection?.close();
    this.#connection = undefined;
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    this.#become(state);
    this.#context.onClosed(this);
    this.#tellFailure();
    const pulls = this.#pulls.splice(0);
    if (pulls.length > 0 && this.#failure !== undefined) {
      pulls.shift()?.reject(this.#failure.error);
      this.#failure = undefined;
    }
    for (const { resolve } of pulls) resolve({ done: true, value: undefined });
  }

  /** To the observer, after all that was received before. */
  #tellFailure(): void {
    const { error } = this.#failure ?? {};
    const observer = this.#observer;
    const isDone = this.#current === undefined && this.#inbox.last === undefined;
    if (this.#failure === undefined || observer === undefined || !isDone) return;
    this.#failure = undefined;
    if (observer.error !== undefined) observer.error(error);
    else throwLater(error);
  }

  #become(state: FeedState): void {
    this.#state = state;
    const tellObserver = (): void => this.#observer?.state?.(state);
    for (const listener of [tellObserver, ...this.#listeners]) {
      try {
        listener(state);
      } catch (error) {
        // The app's own, which is no fault of the server or of the feed.
        throwLater(error);
      }
    }
  }
}

/** As an error that nobody catches. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof result === 'object' && result !== null && 'then' in result;
}
