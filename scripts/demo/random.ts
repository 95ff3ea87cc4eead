import { createHash } from 'node:crypto';

/**
 * Pseudo-random numbers that a seed decides. sfc32 of Chris Doty-Humphrey's PractRand: 128 bits of
 * state, here begun with a digest of the seed, so that similar seeds have nothing in common.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest();
    this.#a = digest.readInt32LE(0);
    this.#b = digest.readInt32LE(4);
    this.#c = digest.readInt32LE(8);
  }

  /** From 0 inclusive to 1 exclusive, in steps of 2^-32. */
  unit(): number {
    const next = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + next) | 0;
    return (next >>> 0) / 2 ** 32;
  }

  /** From `from` inclusive to `to` exclusive. */
  between(from: number, to: number): number {
    return from + this.unit() * (to - from);
  }

  /** A whole number, both ends inclusive. */
  integer(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  /** True in that share of the calls, 0 to 1. */
  chance(share: number): boolean {
    return this.unit() < share;
  }

  /** @throws RangeError if there is nothing to choose from */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.integer(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('nothing to choose from');
    return choice;
  }

  /** Lower-case hex digits. */
  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.integer(0, 15).toString(16)).join('');
  }
}
