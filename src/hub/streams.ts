import type { Clock, Timer } from '../core/clock.ts';
import { Stream, type StreamKey, type StreamOptions, type StreamStart } from './stream.ts';
import type { StreamCounts } from './stream-counts.ts';

export interface StreamsOptions extends Omit<StreamOptions, keyof StreamKey> {
  readonly clock: Clock;
  /** How long a stream that nobody listens to is kept for the next subscriber, in milliseconds. */
  readonly lingerMs: number;
  /**
   * One that drops copies is kept while there is no other, for the ids of what was read: who comes next needs them, and
   * the feed is past them.
   */
  readonly keepsIds: boolean;
}

/** Of those that drop copies it holds the least: nothing waits in it. */
const keptForIds: StreamKey = { order: 'ARRIVAL', deduplicate: true };

/** The streams of a feed: one for each order that is asked for. */
export class Streams implements Iterable<Stream> {
  readonly #options: StreamsOptions;
  readonly #streams = new Map<string, Stream>();
  /** How many use each: those too whom something else serves at the moment, and who will come back to it. */
  readonly #uses = new Map<Stream, number>();
  /** Timers of the streams that nobody uses. */
  readonly #idle = new Map<string, Timer>();
  #isClosed = false;
  /** What streams had done that are no more. */
  readonly #retired = { delivered: 0, duplicates: 0, late: 0, releasedEarly: 0, cutIntervals: 0 };

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<Stream> {
    return this.#streams.values();
  }

  get counts(): StreamCounts {
    let { delivered, duplicates, late, releasedEarly, cutIntervals } = this.#retired;
    let [subscribers, held] = [0, 0];
    for (const stream of this) {
      subscribers += stream.subscribers;
      delivered += stream.delivered;
      const { counters } = stream;
      duplicates += counters.duplicates;
      late += counters.late;
      releasedEarly += counters.releasedEarly;
      cutIntervals += counters.cutIntervals;
      held += counters.held;
    }
    return { subscribers, delivered, duplicates, late, releasedEarly, cutIntervals, held };
  }

  /** Whether events wait in an ordering buffer. */
  get holdsSome(): boolean {
    for (const { counters } of this) if (counters.held > 0) return true;
    return false;
  }

  /** The stream of a key, if there is one. */
  get(key: StreamKey): Stream | undefined {
    return this.#streams.get(nameOf(key));
  }

  /** It is known where to read from: all streams begin. */
  begin(start: StreamStart): void {
    for (const stream of this) stream.begin(start);
  }

  /**
   * The stream of a key, kept until it is released.
   *
   * @param start where a new stream begins; undefined: it is not known yet
   */
  use(key: StreamKey, start: () => StreamStart | undefined): Stream {
    const name = nameOf(key);
    const stream = this.#streams.get(name) ?? this.#open(name, key, start());
    this.#idle.get(name)?.cancel();
    this.#idle.delete(name);
    this.#uses.set(stream, (this.#uses.get(stream) ?? 0) + 1);
    return stream;
  }

  /** Once for each `use`: the stream is let go when nobody is left. */
  release(stream: Stream): void {
    const left = (this.#uses.get(stream) ?? 1) - 1;
    this.#uses.set(stream, left);
    if (left === 0) this.#retireWhenIdle(nameOf(stream.key), stream);
  }

  /** To be asked before they begin. @returns whether one of them is to know the ids from before the start */
  prepareIds(): boolean {
    if (this.#options.keepsIds && !this.#someDropsCopies()) {
      this.#open(nameOf(keptForIds), keptForIds, undefined);
    }
    return this.#someDropsCopies();
  }

  addPartition(partition: number, offset: number): void {
    for (const stream of this) {
      if (stream.hasBegun) stream.sequencer.addPartition(partition, offset);
    }
  }

  /** Ends every subscription, with `error` if there is one. */
  end(error: Error | undefined): void {
    for (const stream of this) stream.end(error);
  }

  /** From here on nothing is timed any more. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#idle.values()) timer.cancel();
    this.#idle.clear();
    for (const stream of this) stream.close();
  }

  #open(name: string, key: StreamKey, start: StreamStart | undefined): Stream {
    const stream = new Stream({ ...this.#options, ...key });
    if (start !== undefined) {
      // The feed is past the ids of the window: whoever has read them knows them.
      const ids = [...this].find(({ dropsCopies, hasBegun }) => dropsCopies && hasBegun);
      stream.beginLater(start, ids);
    }
    this.#streams.set(name, stream);
    if (stream.dropsCopies) this.#letGoWhoWasKept(stream);
    return stream;
  }

  #someDropsCopies(but?: Stream): boolean {
    return [...this].some((stream) => stream.dropsCopies && stream !== but);
  }

  /** There is another one now that knows the ids. */
  #letGoWhoWasKept(other: Stream): void {
    for (const [name, stream] of this.#streams) {
      const isUsed = (this.#uses.get(stream) ?? 0) > 0 || this.#idle.has(name);
      if (stream !== other && stream.dropsCopies && !isUsed) this.#retireWhenIdle(name, stream);
    }
  }

  #retireWhenIdle(name: string, stream: Stream): void {
    if (this.#isClosed || this.#streams.get(name) !== stream) return;
    this.#idle.get(name)?.cancel();
    const { clock, lingerMs } = this.#options;
    const timer = clock.schedule(lingerMs, () => {
      this.#idle.delete(name);
      const isKept = this.#options.keepsIds && stream.dropsCopies && !this.#someDropsCopies(stream);
      if (isKept) return;
      this.#streams.delete(name);
      this.#uses.delete(stream);
      const { duplicates, late, releasedEarly, cutIntervals } = stream.counters;
      stream.close();
      this.#retired.delivered += stream.delivered;
      this.#retired.duplicates += duplicates;
      this.#retired.late += late;
      this.#retired.releasedEarly += releasedEarly;
      this.#retired.cutIntervals += cutIntervals;
    });
    this.#idle.set(name, timer);
  }
}

function nameOf({ order, deduplicate }: StreamKey): string {
  return `${order} ${deduplicate}`;
}
