import type { Event } from '../decode/event.ts';

/** Numbers that an undecided id takes: the four words of its digest, and its time. */
const numbersOfId = 5;

/**
 * A resumed stream that is read again up to where it was: which partitions have not come to their R, and what must
 * wait until all have, as only then it is known what is a copy.
 */
export class Rereading {
  readonly #partitions: Set<number>;
  #ahead: Event[] = [];
  #aheadBytes = 0;
  #undecided: number[] = [];

  /** @param partitions those that the stream had read */
  constructor(partitions: Iterable<number>) {
    this.#partitions = new Set(partitions);
  }

  get isUnderWay(): boolean {
    return this.#partitions.size > 0;
  }

  has(partition: number): boolean {
    return this.#partitions.has(partition);
  }

  /** A partition has come to its R. @returns whether it was the last one */
  end(partition: number): boolean {
    return this.#partitions.delete(partition) && this.#partitions.size === 0;
  }

  /** Records at or above R, not ingested yet, in the order in which they came. */
  get ahead(): readonly Event[] {
    return this.#ahead;
  }

  /** The length of their JSON texts. */
  get aheadBytes(): number {
    return this.#aheadBytes;
  }

  defer(event: Event): void {
    this.#ahead.push(event);
    this.#aheadBytes += event.json.length;
  }

  takeAhead(): readonly Event[] {
    const ahead = this.#ahead;
    this.#ahead = [];
    this.#aheadBytes = 0;
    return ahead;
  }

  /** An id below V whose copy was after K: it was emitted, or another copy of it, with a smaller key, is held. */
  leaveUndecided(words: Int32Array, recordedAtMs: number): void {
    this.#undecided.push(words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0, recordedAtMs);
  }

  /** @param words where the digest of each is put in turn */
  eachUndecided(words: Int32Array, decide: (recordedAtMs: number) => void): void {
    const undecided = this.#undecided;
    for (let at = 0; at < undecided.length; at += numbersOfId) {
      for (let word = 0; word < 4; word++) words[word] = undecided[at + word] ?? 0;
      decide(undecided[at + 4] ?? 0);
    }
  }

  forgetUndecided(): void {
    this.#undecided = [];
  }
}
