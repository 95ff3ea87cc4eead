import type { Clock, Timer } from '../core/clock.ts';
import type { SequencerOptions } from '../sequence/sequencer.ts';
import { Stream, type StreamKey } from './stream.ts';

export interface StreamsOptions extends Omit<SequencerOptions, 'emit' | keyof StreamKey> {
  readonly clock: Clock;
  /** How long a stream that nobody listens to is kept for the next subscriber, in milliseconds. */
  readonly lingerMs: number;
}

/** What streams have done so far, those that are no more included. */
export interface StreamCounts {
  readonly subscribers: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly late: number;
  readonly held: number;
}

/** The streams of a feed: one for each order that is asked for. */
export class Streams implements Iterable<Stream> {
  readonly #options: StreamsOptions;
  readonly #streams = new Map<string, Stream>();
  /** Timers of the streams that nobody listens to. */
  readonly #idle = new Map<string, Timer>();
  #isClosed = false;
  /** What streams had done that are no more. */
  readonly #retired = { delivered: 0, duplicates: 0, late: 0 };

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<Stream> {
    return this.#streams.values();
  }

  get counts(): StreamCounts {
    let { delivered, duplicates, late } = this.#retired;
    let [subscribers, held] = [0, 0];
    for (const stream of this) {
      subscribers += stream.subscribers;
      delivered += stream.delivered;
      duplicates += stream.sequencer.counters.duplicates;
      late += stream.sequencer.counters.late;
      held += stream.sequencer.held;
    }
    return { subscribers, delivered, duplicates, late, held };
  }

  /**
   * @param next where reading stands, by partition: where a new stream begins
   * @param use adds a subscription; answers the function that takes it out again
   * @returns the same, which also lets the stream go when nobody is left
   */
  use(
    key: StreamKey,
    next: ReadonlyMap<number, number>,
    use: (stream: Stream) => () => void,
  ): () => void {
    const name = `${key.order} ${key.deduplicate}`;
    const stream = this.#streams.get(name) ?? this.#open(name, key, next);
    this.#idle.get(name)?.cancel();
    this.#idle.delete(name);
    const leave = use(stream);
    return () => {
      leave();
      if (stream.subscribers === 0) this.#retireWhenIdle(name, stream);
    };
  }

  addPartition(partition: number, offset: number): void {
    for (const { sequencer } of this) sequencer.addPartition(partition, offset);
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
  }

  #open(name: string, key: StreamKey, next: ReadonlyMap<number, number>): Stream {
    const stream = new Stream({ ...this.#options, ...key });
    for (const [partition, offset] of next) stream.sequencer.addPartition(partition, offset);
    this.#streams.set(name, stream);
    return stream;
  }

  #retireWhenIdle(name: string, stream: Stream): void {
    if (this.#isClosed || this.#streams.get(name) !== stream) return;
    this.#idle.get(name)?.cancel();
    const { clock, lingerMs } = this.#options;
    const timer = clock.schedule(lingerMs, () => {
      this.#idle.delete(name);
      this.#streams.delete(name);
      const { duplicates, late } = stream.sequencer.counters;
      this.#retired.delivered += stream.delivered;
      this.#retired.duplicates += duplicates;
      this.#retired.late += late;
    });
    this.#idle.set(name, timer);
  }
}
