import type { Start, StartPoint } from './feed-start.ts';
import { type JoinPoint, precedes } from './join-point.ts';
import type { ReadProgress } from './read-progress.ts';

/** Where the subscriptions of a feed join it: those of one that reads the past, nowhere. */
export class JoinPoints {
  readonly #isOfPast: boolean;
  /** The end of the log as of the start: see `Start.end`. */
  readonly #end = new Map<number, number>();
  /** From where on the feed itself passes nothing over. */
  readonly #own: JoinPoint | undefined;
  /** What was known to be in the log at the last answer, for those who join; made when asked for. */
  #recorded: JoinPoint['from'] | undefined;
  /** The join point given out last: those who join at the same moment share it. */
  #last: JoinPoint | undefined;

  constructor(start: StartPoint) {
    this.#isOfPast = start.at !== 'acceptance';
    this.#own =
      start.at === 'acceptance' ? { from: this.#end, acceptedAtMs: start.acceptedAtMs } : undefined;
  }

  begin({ end }: Pick<Start, 'end'>): void {
    for (const [partition, offset] of end) this.#end.set(partition, offset);
  }

  /** A broker has answered: more is known to be in the log. */
  forgetRecorded(): void {
    this.#recorded = undefined;
  }

  /** Whether a record was there before the first subscription was accepted. */
  precedeAll(partition: number, offset: number, recordedAtMs: number): boolean {
    return this.#own !== undefined && precedes(this.#own, partition, offset, recordedAtMs);
  }

  /** Where a subscription joins that is accepted now. @param read undefined: reading has not begun */
  now(read: ReadProgress | undefined, nowMs: number): JoinPoint | undefined {
    if (this.#isOfPast) return undefined;
    if (read === undefined) return this.#shared(this.#end, nowMs);
    this.#recorded ??= read.recorded;
    return this.#shared(this.#recorded, Number.POSITIVE_INFINITY);
  }

  #shared(from: JoinPoint['from'], acceptedAtMs: number): JoinPoint {
    const last = this.#last;
    if (last?.from === from && last.acceptedAtMs === acceptedAtMs) return last;
    this.#last = { from, acceptedAtMs };
    return this.#last;
  }
}
