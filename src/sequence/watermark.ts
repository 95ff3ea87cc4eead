import { ClockSkew } from './clock-skew.ts';

export interface WatermarkOptions {
  /** L: how far an event's own time may be behind the broker's without losing its place. */
  readonly latenessMs: number;
  /** A: how far a broker's time may be ahead of the server's clock. */
  readonly maxAdvanceMs: number;
  /** After how long without an answer a partition no longer holds back the others. */
  readonly maxStallMs: number;
}

/** What is known of one partition's progress. */
interface Progress {
  /** Greatest broker time ingested. */
  greatestMs: number;
  /** Server time of the last answer that came back to the end of the partition. */
  caughtUpAtMs: number;
  /** Server time of the last answer of any kind. */
  answeredAtMs: number;
}

/**
 * How far time has come in a stream: no record that is in time can still take a place before it.
 *
 * In Flink's words (`BoundedOutOfOrdernessWatermarks`, `WatermarkOutputMultiplexer`,
 * `WatermarksWithIdleness`; the ideas are from there): bounded out-of-orderness `L`, one watermark for
 * each partition, the minimum of them, and idleness. Where Flink guesses idleness from a timeout, here a
 * fetch that came back to the end of a partition proves that it holds no record before the broker's
 * *now*, so an idle partition holds the others back for no longer than one fetch takes.
 *
 * **The broker's now** is estimated as the server's time less the skew (`ClockSkew`), so that a server
 * whose clock is ahead flags nobody late. Worst cases, all bounded: an answer that lay unread for d, or
 * travelled d longer than the fastest, makes the effective lateness L - d for that round; a clock that
 * is set forward by d makes it L - d for up to two minutes; on a topic with producer times (CreateTime)
 * a sender may shorten it by A. Only events that were out of order by more than what remains are
 * affected: they are delivered, flagged late.
 *
 * **Stalled partitions.** One that has not answered for `maxStallMs`, its start included, is left out,
 * so that a dead partition does not stop the rest; what it delivers later may be late. Silence of *all*
 * partitions proves nothing about one of them: the time is counted afresh from the first answer after
 * it. While all are stalled nothing is released.
 */
export class Watermark {
  readonly #latenessMs: number;
  readonly #maxAdvanceMs: number;
  readonly #maxStallMs: number;
  readonly #skew = new ClockSkew();
  /** By partition number. */
  readonly #partitions: (Progress | undefined)[] = [];
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  #flowingSinceMs = Number.NEGATIVE_INFINITY;

  constructor(options: WatermarkOptions) {
    this.#latenessMs = options.latenessMs;
    this.#maxAdvanceMs = options.maxAdvanceMs;
    this.#maxStallMs = options.maxStallMs;
  }

  /** From now on this partition holds the others back until it answers. */
  add(partition: number, nowMs: number): void {
    this.#partitions[partition] = {
      greatestMs: Number.NEGATIVE_INFINITY,
      caughtUpAtMs: Number.NEGATIVE_INFINITY,
      answeredAtMs: nowMs,
    };
  }

  /** A record with this broker time was received. */
  recorded(partition: number, recordedAtMs: number, nowMs: number): void {
    const progress = this.#answered(partition, nowMs);
    if (recordedAtMs <= nowMs + this.#maxAdvanceMs) {
      this.#skew.sample(nowMs, recordedAtMs);
      if (recordedAtMs > progress.greatestMs) progress.greatestMs = recordedAtMs;
    } else if (nowMs > progress.greatestMs) {
      // A time from the future says only that the record was not recorded after now.
      progress.greatestMs = nowMs;
    }
  }

  /** The partition answered, with whatever. */
  answered(partition: number, nowMs: number): void {
    this.#answered(partition, nowMs);
  }

  /**
   * The server's clock was set back by so many milliseconds. What is known by it is told in its new time; otherwise
   * time would have come as far as the former clock, and all that is recorded up to there would be late.
   */
  setBack(byMs: number): void {
    this.#skew.setBack(byMs);
    this.#lastAnswerMs -= byMs;
    this.#flowingSinceMs -= byMs;
    for (const progress of this.#partitions) {
      if (progress === undefined) continue;
      progress.caughtUpAtMs -= byMs;
      progress.answeredAtMs -= byMs;
    }
  }

  /** A fetch came back to the end of the partition at `atMs`, by the server's clock. */
  caughtUp(partition: number, atMs: number): void {
    const progress = this.#answered(partition, atMs);
    if (atMs > progress.caughtUpAtMs) progress.caughtUpAtMs = atMs;
  }

  /**
   * Every record still to come that is in time has an own time at or after this, in milliseconds since
   * 1970. Minus infinity while nothing is known.
   */
  currentMs(nowMs: number): number {
    let lowestMs = Number.POSITIVE_INFINITY;
    for (const progress of this.#partitions) {
      if (progress === undefined || this.#stalled(progress, nowMs)) continue;
      const reachedMs = this.#reachedMs(progress);
      if (reachedMs < lowestMs) lowestMs = reachedMs;
    }
    return lowestMs === Number.POSITIVE_INFINITY
      ? Number.NEGATIVE_INFINITY
      : lowestMs - this.#latenessMs;
  }

  /** The broker time that every partition, stalled ones too, has reached. */
  reachedByAllMs(): number {
    let lowestMs = Number.POSITIVE_INFINITY;
    for (const progress of this.#partitions) {
      if (progress === undefined) continue;
      const reachedMs = this.#reachedMs(progress);
      if (reachedMs < lowestMs) lowestMs = reachedMs;
    }
    return lowestMs === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : lowestMs;
  }

  /**
   * Partitions that are strictly ahead of the slowest, which is never among them. As their reader may
   * pause them now, they are excused from answering until they are no longer ahead.
   */
  ahead(nowMs: number): number[] {
    const slowestMs = this.currentMs(nowMs) + this.#latenessMs;
    const ahead: number[] = [];
    for (const [partition, progress] of this.#partitions.entries()) {
      if (progress === undefined || this.#stalled(progress, nowMs)) continue;
      if (this.#reachedMs(progress) <= slowestMs) continue;
      progress.answeredAtMs = nowMs;
      ahead.push(partition);
    }
    return ahead;
  }

  #answered(partition: number, nowMs: number): Progress {
    const progress = this.#partitions[partition];
    if (progress === undefined) throw new RangeError(`Partition ${partition} was not added`);
    if (nowMs > this.#lastAnswerMs) {
      // Half the limit: partitions that fell silent together are not all found again in one moment.
      if (nowMs - this.#lastAnswerMs > this.#maxStallMs / 2) this.#flowingSinceMs = nowMs;
      this.#lastAnswerMs = nowMs;
    }
    if (nowMs > progress.answeredAtMs) progress.answeredAtMs = nowMs;
    return progress;
  }

  #stalled(progress: Progress, nowMs: number): boolean {
    return nowMs - Math.max(progress.answeredAtMs, this.#flowingSinceMs) > this.#maxStallMs;
  }

  #reachedMs(progress: Progress): number {
    return Math.max(progress.greatestMs, progress.caughtUpAtMs - this.#skew.boundMs);
  }
}
