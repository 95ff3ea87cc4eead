import type { DeadLetter } from '../../decode/event.ts';
import type { DeadLetterSink } from './dead-letter-sink.ts';

/** Who gets the dead letters of a feed; more than one only while the streams of dead letters change. */
export class DeadLetterSinks {
  readonly #sinks = new Set<DeadLetterSink>();
  /** Handed to those who are no more. */
  #retired = 0;

  /** From here on the sink gets the dead letters. @returns ends that */
  add(sink: DeadLetterSink): () => void {
    this.#sinks.add(sink);
    return () => {
      if (this.#sinks.delete(sink)) this.#retired += sink.delivered;
    };
  }

  get subscribers(): number {
    return this.#sum(({ subscribers }) => subscribers);
  }

  get delivered(): number {
    return this.#retired + this.#sum(({ delivered }) => delivered);
  }

  get historyBytes(): number {
    return this.#sum(({ historyBytes }) => historyBytes);
  }

  begun(): void {
    for (const sink of this.#sinks) sink.begun();
  }

  accept(deadLetter: DeadLetter): void {
    for (const sink of this.#sinks) sink.accept(deadLetter);
  }

  flush(): void {
    for (const sink of this.#sinks) sink.flush();
  }

  end(error: Error | undefined): void {
    for (const sink of this.#sinks) sink.end(error);
  }

  #sum(of: (sink: DeadLetterSink) => number): number {
    return [...this.#sinks].reduce((sum, sink) => sum + of(sink), 0);
  }
}
