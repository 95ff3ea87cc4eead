import { Inbox, type Received } from './inbox.ts';
import type { FeedState, Observer } from './types.ts';

/** What a consumer tells its feed. */
export interface ConsumerListener {
  /** The app has dealt with everything up to there. */
  dealt(cursor: string): void;
  /** One item less waits, if there was any. */
  taken(): void;
  /** The app threw at an item. */
  thrown(): void;
}

interface Pull<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/** The app, as it takes what a feed has received: by iterating, or by an observer. What it has not taken waits. */
export class Consumer<Item> {
  readonly #listener: ConsumerListener;
  readonly #inbox = new Inbox<Item>();
  #isTaken = false;
  #isOver = false;
  #observer: Observer<Item> | undefined;
  #pulls: Pull<Item>[] = [];
  /** With the app. */
  #current: Received<Item> | undefined;
  /** What whoever iterates is still to be told. */
  #failure: { readonly error: unknown } | undefined;

  constructor(listener: ConsumerListener) {
    this.#listener = listener;
  }

  /** Characters of JSON that wait. */
  get size(): number {
    return this.#inbox.size;
  }

  get observer(): Observer<Item> | undefined {
    return this.#observer;
  }

  /** @throws {TypeError} if it has been called before */
  takeOnce(): void {
    if (this.#isTaken) throw new TypeError('a feed is iterated or subscribed to once');
    this.#isTaken = true;
  }

  /** @param state that of the feed */
  observe(observer: Observer<Item>, state: FeedState): void {
    this.#observer = observer;
    observer.state?.(state);
    this.#pump(observer);
    this.#tellFailure();
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    this.#dealt();
    const received = this.#take();
    if (received !== undefined) return Promise.resolve({ done: false, value: received.item });
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure.error);
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#pulls.push({ resolve, reject });
    });
  }

  put(received: Received<Item>): void {
    this.#inbox.put(received);
    const [pull] = this.#pulls;
    if (this.#observer !== undefined) this.#pump(this.#observer);
    else if (pull !== undefined) {
      this.#pulls.shift();
      this.#dealt();
      this.#take();
      pull.resolve({ done: false, value: received.item });
    }
  }

  /** The feed has come so far, with nothing more to take on the way. */
  progress(cursor: string): void {
    const last = this.#inbox.last ?? this.#current;
    if (last === undefined) this.#listener.dealt(cursor);
    else last.cursor = cursor;
  }

  /** What waits is not taken any more. */
  clear(): void {
    this.#inbox.clear();
  }

  /** As `clear`; whoever iterates is told why. */
  abort(reason: unknown): void {
    this.clear();
    if (this.#observer === undefined) this.fail(reason);
  }

  /** Behind all that waits there is this error. */
  fail(error: unknown): void {
    this.#failure = { error };
  }

  /** Nothing more comes. */
  end(): void {
    this.#isOver = true;
    this.#tellFailure();
    const pulls = this.#pulls.splice(0);
    if (pulls.length > 0 && this.#failure !== undefined) {
      pulls.shift()?.reject(this.#failure.error);
      this.#failure = undefined;
    }
    for (const { resolve } of pulls) resolve({ done: true, value: undefined });
  }

  /** The next item goes to the app. */
  #take(): Received<Item> | undefined {
    this.#current = this.#inbox.take();
    this.#listener.taken();
    return this.#current;
  }

  /** The app has dealt with what it was given. */
  #dealt(): void {
    if (this.#current !== undefined) this.#listener.dealt(this.#current.cursor);
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

  /** The app threw at an item, so it has not dealt with it, and nothing after it either. */
  #giveUp(error: unknown): void {
    this.#current = undefined;
    this.clear();
    this.fail(error);
    this.#listener.thrown();
    // Closed already, while the app was busy.
    this.#tellFailure();
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
}

/** As an error that nobody catches. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof result === 'object' && result !== null && 'then' in result;
}
