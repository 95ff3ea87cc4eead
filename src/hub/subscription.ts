import { MillraceError } from '../core/errors.ts';

/** What a subscription needs to know and tell. */
export interface SubscriptionOptions {
  /** Bytes that may wait for a slow reader; at the bound the subscription ends with `LIMIT_EXCEEDED`. */
  readonly maxQueuedBytes: number;
  /** Called once when it has ended, whoever ended it. */
  readonly onEnd: () => void;
  /** With more bytes than this waiting, `onBacklog` is called: time to slow down. @default never */
  readonly backlogBytes?: number;
  readonly onBacklog?: () => void;
  /** Called when the reader has taken all that waited. */
  readonly onDrained?: () => void;
}

type State =
  | { readonly name: 'open' }
  /** Ended by the feed: what is queued is still handed out, then the error is thrown (if any). */
  | { readonly name: 'ending'; readonly error: Error | undefined }
  | { readonly name: 'ended' };

/**
 * One subscriber's place in a feed: a queue, bounded in bytes, between the feed, which pushes, and a
 * transport, which pulls. It hands out everything that has gathered since the last pull as one batch,
 * so that under load batches grow by themselves and a single message waits for nothing.
 *
 * Not an async generator, because the `return()` of one waits behind a pending `next()`: a
 * subscription to a quiet topic could then never be ended.
 */
export class Subscription<Message> implements AsyncIterableIterator<readonly Message[]> {
  readonly #options: SubscriptionOptions;
  #state: State = { name: 'open' };
  #queue: Message[] = [];
  #queuedBytes = 0;
  #pull: PromiseWithResolvers<IteratorResult<readonly Message[]>> | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Queues a message of about `bytes`; never blocks. What is offered after the end is left out. */
  offer(message: Message, bytes: number): void {
    if (this.#state.name !== 'open') return;
    if (this.#pull !== undefined && this.#queue.length === 0) {
      // Answering in a microtask lets the rest of the feed's turn join the same batch.
      queueMicrotask(() => this.#answerPull());
    }
    this.#queue.push(message);
    this.#queuedBytes += bytes;
    const { backlogBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (this.#queuedBytes > backlogBytes) this.#options.onBacklog?.();
    // With a pull pending, all of this turn is taken before anything else runs: no backlog. And a
    // single message always passes, however large.
    if (this.#pull !== undefined || this.#queue.length === 1) return;
    if (this.#queuedBytes > this.#options.maxQueuedBytes) {
      this.end(slowSubscriber(this.#options.maxQueuedBytes));
    }
  }

  /** Ends it from the feed's side: after what is queued, `next()` rejects with `error` or is done. */
  end(error?: Error): void {
    if (this.#state.name !== 'open') return;
    this.#state = { name: 'ending', error };
    this.#options.onEnd();
    this.#answerPull();
  }

  /** Ends it from the feed's side, at once: what is queued is dropped, and `next()` rejects. */
  cut(error: Error): void {
    if (this.#state.name === 'ended') return;
    this.#queue = [];
    this.#queuedBytes = 0;
    if (this.#state.name === 'open') this.end(error);
    else this.#state = { name: 'ending', error };
  }

  next(): Promise<IteratorResult<readonly Message[]>> {
    if (this.#pull !== undefined) {
      return Promise.reject(new Error('next() was called again before the last call was answered'));
    }
    const pull = Promise.withResolvers<IteratorResult<readonly Message[]>>();
    this.#pull = pull;
    this.#answerPull();
    return pull.promise;
  }

  /** Ends it from the subscriber's side, at once: what is queued is dropped. */
  return(): Promise<IteratorResult<readonly Message[]>> {
    const wasOpen = this.#state.name === 'open';
    this.#state = { name: 'ended' };
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#answerPull();
    if (wasOpen) this.#options.onEnd();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #answerPull(): void {
    const pull = this.#pull;
    if (pull === undefined) return;
    if (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      this.#queuedBytes = 0;
      this.#pull = undefined;
      pull.resolve({ done: false, value: batch });
      this.#options.onDrained?.();
      return;
    }
    if (this.#state.name === 'open') return;
    const error = this.#state.name === 'ending' ? this.#state.error : undefined;
    this.#state = { name: 'ended' };
    this.#pull = undefined;
    if (error === undefined) pull.resolve({ done: true, value: undefined });
    else pull.reject(error);
  }
}

/** The refusal of a subscriber for which more than `maxBytes` were waiting. */
export function slowSubscriber(maxBytes: number): MillraceError {
  const limit = 'limits.outboundBytesPerConnection';
  return new MillraceError(
    'LIMIT_EXCEEDED',
    `too slow: more than ${maxBytes} bytes were waiting to be sent (${limit})`,
    { limit },
  );
}
