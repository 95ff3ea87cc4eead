import { type Backoff, backoffMs } from './backoff.ts';
import { call, type Called, listen } from './calls.ts';
import { Connection, type Patience } from './connection.ts';
import { Consumer, throwLater } from './consumer.ts';
import type { Credentials, Shown } from './credentials.ts';
import { FeedError, isLoss, isOfNetwork, isPassing, type Loss } from './feed-error.ts';
import { Place } from './place.ts';
import type { Surroundings } from './surroundings.ts';
import type { AfterLoss, FeedOptions, FeedState, Observer } from './types.ts';

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

/** @default FeedOptions.maxWaiting */
const defaultMaxWaiting = 4_000_000;
/** Tokens that were made for the attempt and refused, one after the other. */
const maxRefusals = 3;
/** Whom another feed calls waits as after so many failures: those of all other pages are called at the same time. */
const failuresOfCalled = 3;
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
  readonly #consumer: Consumer<Item>;
  readonly #listeners = new Set<(state: FeedState) => void>();
  #state: FeedState = { name: 'connecting', attempt: 1 };
  #connection: Connection<Item> | undefined;
  /** Where the next connection goes on: the last that was received. */
  #next: string | undefined;
  #since: string | undefined;
  #failures = 0;
  /** Once only until a connection holds: a server that ends all at once is not to be stormed. */
  #heedsCalls = true;
  #refusals = 0;
  /** Since when the connection is ready, in milliseconds since 1970. */
  #readyMs: number | undefined;
  #stopWaiting: (() => void) | undefined;
  #unwatch: (() => void)[] = [];

  /** Made by `Client.events` and `Client.deadLetters`. */
  constructor(context: FeedContext, options: FeedOptions) {
    const { address, surroundings } = context;
    const { after, since, storage, storageKey = `millrace ${address.href}`, signal } = options;
    this.#context = context;
    this.#options = options;
    const place = new Place({ after, storage, key: storageKey });
    this.#place = place;
    this.#consumer = new Consumer({
      dealt: (cursor) => place.moveTo(cursor),
      taken: () => this.#goOnIfPaused(),
      thrown: () => this.#end({ name: 'closed', code: 'DONE' }),
    });
    this.#next = place.cursor;
    this.#since = since instanceof Date ? since.toISOString() : since;
    if (signal?.aborted) {
      this.#abort(signal);
      return;
    }
    const refusal = context.refusal ?? (place.isTaken ? takenKey(storageKey) : undefined);
    if (refusal !== undefined) {
      this.#fail(refusal);
      return;
    }
    if (signal !== undefined) {
      const abort = (): void => this.#abort(signal);
      signal.addEventListener('abort', abort);
      this.#unwatch.push(() => signal.removeEventListener('abort', abort));
    }
    this.#unwatch.push(surroundings.watchReturn(() => this.#hasten(1, this.#heedsCalls)));
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
    this.#consumer.takeOnce();
    const told = typeof observer === 'function' ? { next: observer } : observer;
    this.#consumer.observe(told, this.#state);
    return () => this.close();
  }

  [Symbol.asyncIterator](): this {
    this.#consumer.takeOnce();
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    return this.#consumer.next();
  }

  /** As `close`. */
  return(): Promise<IteratorResult<Item, undefined>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends it. What is stored stays, so that another one goes on where this one was left. */
  close(): void {
    this.#consumer.clear();
    this.#end({ name: 'closed', code: 'DONE' });
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
    call(this.#context.address.origin, this.#context.credentials);
  }

  #receive(item: Item, size: number): void {
    const { cursor } = item;
    this.#next = cursor;
    this.#consumer.put({ item, size, cursor });
    if (this.#consumer.size > (this.#options.maxWaiting ?? defaultMaxWaiting)) this.#pause();
  }

  #progress(cursor: string, isLive: boolean): void {
    this.#next = cursor;
    this.#consumer.progress(cursor);
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

  #goOnIfPaused(): void {
    const { maxWaiting = defaultMaxWaiting } = this.#options;
    const isPaused = this.#state.name === 'waiting' && this.#state.untilMs === undefined;
    if (isPaused && this.#consumer.size <= maxWaiting / 2) this.#connect();
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
    if (heldMs >= backoff.stableMs) {
      this.#failures = 0;
      this.#heedsCalls = true;
    }
    return heldMs;
  }

  #lost(loss: Loss): void {
    const goOn = this.#afterLoss(loss);
    // By the app, when it was asked.
    if (this.#state.name === 'closed') return;
    if (goOn === 'stop') return this.#fail(loss);
    this.#place.forget();
    this.#next = undefined;
    this.#since = goOn === 'earliest' ? theBeginning : undefined;
    this.#wait(loss);
  }

  #afterLoss(loss: Loss): AfterLoss {
    const { onLoss = 'stop' } = this.#options;
    try {
      return typeof onLoss === 'string' ? onLoss : onLoss(loss);
    } catch (error) {
      throwLater(error);
      return 'stop';
    }
  }

  #wait(reason: FeedError): void {
    this.#failures += 1;
    this.#waitFor(this.#delayMs(this.#failures), reason);
  }

  /** @param failures in a row */
  #delayMs(failures: number): number {
    const { surroundings, backoff } = this.#context;
    return backoffMs(failures, backoff, surroundings.random());
  }

  #waitFor(delayMs: number, reason: FeedError): void {
    const { surroundings } = this.#context;
    const stop = surroundings.schedule(delayMs, () => this.#connect());
    const leave = this.#heedsCalls && isOfNetwork(reason) ? listen(this.#called) : undefined;
    this.#stopWaiting = () => {
      stop();
      leave?.();
    };
    this.#become({ name: 'waiting', reason, untilMs: surroundings.now() + delayMs });
  }

  readonly #called: Called = (server, credentials) => {
    const { address, credentials: own } = this.#context;
    const state = this.#state;
    if (server !== address.origin || state.name !== 'waiting') return;
    // Whoever else has connected has not shown that there is a token for this one.
    if (state.reason.code === 'TOKEN_UNAVAILABLE' && credentials !== own) return;
    this.#hasten(failuresOfCalled, false);
  };

  /** It seems that the server can be reached again. What refused the feed is not hurried. */
  #hasten(failures: number, heedsCalls: boolean): void {
    const state = this.#state;
    if (state.name !== 'waiting' || state.untilMs === undefined) return;
    if (!isOfNetwork(state.reason)) return;
    const delayMs = this.#delayMs(failures);
    if (this.#context.surroundings.now() + delayMs >= state.untilMs) return;
    this.#stopWaiting?.();
    this.#heedsCalls = heedsCalls;
    this.#waitFor(delayMs, state.reason);
  }

  #abort({ reason }: AbortSignal): void {
    this.#consumer.abort(reason);
    this.#end({ name: 'closed', code: 'DONE' });
  }

  #fail(cause: unknown): void {
    const error =
      cause instanceof FeedError
        ? cause
        : new FeedError('BAD_USER_INPUT', `cannot connect: ${String(cause)}`, { cause });
    this.#consumer.fail(error);
    this.#end({ name: 'closed', code: error.code, error });
  }

  #end(state: FeedState): void {
    if (this.#state.name === 'closed') return;
    this.#connection?.close();
    this.#connection = undefined;
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    for (const unwatch of this.#unwatch.splice(0)) unwatch();
    this.#place.release();
    this.#become(state);
    this.#context.onClosed(this);
    this.#consumer.end();
  }

  #become(state: FeedState): void {
    this.#state = state;
    const tellObserver = (): void => this.#consumer.observer?.state?.(state);
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

function takenKey(key: string): FeedError {
  const message = `another open feed keeps its cursor as "${key}": close it, or give each a storageKey of its own`;
  return new FeedError('BAD_USER_INPUT', message, { argument: 'storageKey' });
}
