import type { RevocationListener } from '../auth/revocation.ts';
import type { MillraceError } from '../core/errors.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { Message } from './message.ts';
import type { Parcel } from './parcel.ts';
import type { Subscriber } from './subscriber.ts';

/** What a subscription needs to know and tell. */
export interface SubscriptionOptions {
  /** How much may wait for a reader that does not pull, in characters. */
  readonly maxQueuedBytes: number;
  /** Called once when it has ended, whoever ended it. */
  onEnd(): void;
  /**
   * Called when the subscriber lost what it was given, as it did not take it: it is to go on from this position
   * when it can. It gets nothing more until then.
   */
  onBehind(position: StreamPosition): void;
  /** The cursor of a position, or of where it is now. @default there is none */
  cursorAt?(position?: StreamPosition): string | undefined;
}

type State =
  | { readonly name: 'open' }
  /** Ended by the feed: what is queued is still handed out, then the error (if any). */
  | { readonly name: 'ending'; readonly error: Error | undefined }
  | { readonly name: 'ended' };

const open: State = { name: 'open' };
const ended: State = { name: 'ended' };

/**
 * One subscriber's place in a feed.
 *
 * A transport attaches a `Subscriber`, to whom everything is handed in the turn of the feed: there is no
 * queue here. Anybody else iterates: then it is a bounded queue between the feed, which pushes, and its
 * reader, who pulls; a pull takes all that has gathered since the last one.
 *
 * Not an async generator, because the `return()` of one waits behind a pending `next()`: a
 * subscription to a quiet topic could then never be ended.
 */
export class Subscription<Item extends Message>
  implements AsyncIterableIterator<readonly Item[]>, RevocationListener
{
  readonly #options: SubscriptionOptions;
  #state = open;
  #subscriber: Subscriber<Item> | undefined;
  /** What the subscriber cannot take now, or nobody has pulled yet. */
  #queue: Parcel<Item>[] | undefined;
  #queuedBytes = 0;
  #whenTaken: (() => void)[] | undefined;
  #pull: PromiseWithResolvers<IteratorResult<readonly Item[]>> | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
  }

  /** By which transport its messages go; undefined: it has none yet, or is read by iterating. */
  get transport(): string | undefined {
    return this.#subscriber?.transport;
  }

  /** How much waits here, in characters. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** What its subscriber has not taken of what it was given. */
  get backlogBytes(): number {
    return this.#queuedBytes + (this.#subscriber?.backlogBytes ?? 0);
  }

  /**
   * What goes on exactly with what its subscriber is to get, before anything was handed out; undefined: it is not
   * known, or where the subscriber began is what it asked for.
   */
  get startCursor(): string | undefined {
    return this.#options.cursorAt?.(this.#queue?.[0]?.before);
  }

  /** Calls `taken` once, when its subscriber has taken everything and wants more; never at once. */
  whenTaken(taken: () => void): void {
    if (this.#subscriber !== undefined) {
      this.#subscriber.whenTaken(taken);
      return;
    }
    (this.#whenTaken ??= []).push(taken);
    this.#tellTaken();
  }

  /** The subscriber has lost all that it was given after this position. */
  fellBehind(position: StreamPosition): void {
    // What still waits here comes after that.
    this.#drop();
    if (this.#state.name === 'open') this.#options.onBehind(position);
  }

  /** Hands what has gathered to `subscriber`, and from now on everything at once. To be called once. */
  attach(subscriber: Subscriber<Item>): void {
    this.#subscriber = subscriber;
    this.#handOver(subscriber);
    for (const taken of this.#whenTaken?.splice(0) ?? []) subscriber.whenTaken(taken);
  }

  /** Takes what is due; never blocks. What comes after the end is left out. */
  push(parcel: Parcel<Item>): void {
    if (this.#state.name !== 'open') return;
    if (this.#subscriber !== undefined) {
      this.#subscriber.deliver(parcel);
      return;
    }
    if (this.#pull !== undefined && this.#queue === undefined) {
      // Answering in a microtask lets the rest of the feed's turn join the same batch.
      queueMicrotask(() => this.#answerPull());
    }
    (this.#queue ??= []).push(parcel);
    this.#queuedBytes += parcel.size;
    // With a pull pending, all of this turn is taken before anything else runs: no backlog. And a
    // single parcel always passes, however large.
    if (this.#pull !== undefined || this.#queue.length === 1) return;
    if (this.#queuedBytes > this.#options.maxQueuedBytes) this.#overflow();
  }

  /** Ends it from the feed's side: after what is queued come `error`, or the end. */
  end(error?: Error): void {
    if (this.#state.name !== 'open') return;
    this.#state = { name: 'ending', error };
    this.#options.onEnd();
    if (this.#subscriber !== undefined) this.#handOver(this.#subscriber);
    this.#answerPull();
  }

  /** Ends it from the feed's side, at once: what is queued is dropped. */
  cut(error: Error): void {
    if (this.#state.name === 'ended') return;
    this.#drop();
    if (this.#state.name === 'open') {
      this.end(error);
      return;
    }
    this.#state = { name: 'ending', error };
    if (this.#subscriber !== undefined) this.#handOver(this.#subscriber);
  }

  /** The key of its subscriber has been revoked. */
  onRevoked(reason: MillraceError): void {
    this.cut(reason);
  }

  next(): Promise<IteratorResult<readonly Item[]>> {
    if (this.#pull !== undefined) {
      return Promise.reject(new Error('next() was called again before the last call was answered'));
    }
    const pull = Promise.withResolvers<IteratorResult<readonly Item[]>>();
    this.#pull = pull;
    this.#answerPull();
    this.#tellTaken();
    return pull.promise;
  }

  /** Ends it from the subscriber's side, at once: what is queued is dropped. */
  return(): Promise<IteratorResult<readonly Item[]>> {
    this.leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** As `return()`; its subscriber is told nothing any more. */
  leave(): void {
    const wasOpen = this.#state.name === 'open';
    this.#state = ended;
    this.#drop();
    this.#answerPull();
    if (wasOpen) this.#options.onEnd();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #overflow(): void {
    const [first] = this.#queue ?? [];
    if (first === undefined) return;
    this.#drop();
    this.fellBehind(first.before);
  }

  /** To those who wait for a reader that pulls: it waits, and there is nothing for it. */
  #tellTaken(): void {
    if (this.#pull === undefined || this.#whenTaken === undefined) return;
    const told = this.#whenTaken;
    this.#whenTaken = undefined;
    queueMicrotask(() => {
      for (const taken of told) taken();
    });
  }

  #drop(): void {
    this.#queue = undefined;
    this.#queuedBytes = 0;
  }

  /** To an attached subscriber: what had gathered before it was, then the end, if it is at hand. */
  #handOver(subscriber: Subscriber<Item>): void {
    // Looked at anew each time: it may leave over what it is given.
    for (let next = this.#queue?.shift(); next !== undefined; next = this.#queue?.shift()) {
      subscriber.deliver(next);
    }
    this.#drop();
    if (this.#state.name !== 'ending') return;
    const { error } = this.#state;
    this.#state = ended;
    subscriber.end(error);
  }

  #answerPull(): void {
    const pull = this.#pull;
    if (pull === undefined) return;
    if (this.#queue !== undefined) {
      const items = this.#queue.flatMap((parcel) => parcel.items);
      this.#drop();
      this.#pull = undefined;
      pull.resolve({ done: false, value: items });
      return;
    }
    if (this.#state.name === 'open') return;
    const error = this.#state.name === 'ending' ? this.#state.error : undefined;
    this.#state = ended;
    this.#pull = undefined;
    if (error === undefined) pull.resolve({ done: true, value: undefined });
    else pull.reject(error);
  }
}
