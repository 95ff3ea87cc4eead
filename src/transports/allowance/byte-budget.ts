import type { Clock, Timer } from '../../core/clock.ts';

export interface ByteBudgetOptions {
  readonly clock: Clock;
  /** `Infinity`: no limit. */
  readonly bytesPerSecond: number;
}

/**
 * What may be sent at once after a time of silence, in seconds' worth: twice, as the time is looked at only
 * when it is spent.
 */
const burstSeconds = 0.5;
/** Least time between two looks at those who wait, in milliseconds. */
const tickMs = 10;
/**
 * How long those who wait are told one after the other, in milliseconds, before others have their turn of the event loop.
 * Who is told may read and encode what it sends.
 */
const tellingMs = 4;
/**
 * Most bytes of messages that are made for sending in one turn of the event loop, but for the last one of them. Who would
 * have more made waits for its turn: each MiB takes some milliseconds, and all others wait for them.
 */
const mostMadeBytes = 8 * 2 ** 20;

/**
 * Bytes that may be sent in a second, shared by all who send for one project. What is sent is subtracted
 * also where it is too much: the debt is waited for. Those who wait take turns, with one write each.
 */
export class ByteBudget {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  #available: number;
  #refilledAtMs: number;
  #waiting: (() => void)[] = [];
  /** Until those who wait are told. */
  #timer: Timer | undefined;
  #sentBytes = 0;
  /** In this turn. */
  #madeBytes = 0;

  constructor({ clock, bytesPerSecond }: ByteBudgetOptions) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#available = bytesPerSecond * burstSeconds;
    this.#refilledAtMs = clock.now();
  }

  /** Nothing may be sent now, but by those who have waited for their turn. */
  get isSpent(): boolean {
    if (this.#waiting.length > 0) return true;
    if (this.#available > 0) return false;
    this.#refill();
    return this.#available <= 0;
  }

  /** How long it takes until something may be sent, in milliseconds; 0: it may be now. */
  get debtMs(): number {
    this.#refill();
    return this.#available >= 0 ? 0 : (-this.#available / this.#bytesPerSecond) * 1_000;
  }

  /** Messages for some of those who send have been made, which others do not have in common with them. */
  noteMade(bytes: number): void {
    if (this.#madeBytes === 0) {
      setImmediate(() => {
        this.#madeBytes = 0;
      });
    }
    this.#madeBytes += bytes;
  }

  /** In this turn no more is to be made. */
  get hasMadeMuch(): boolean {
    return this.#madeBytes >= mostMadeBytes && this.#bytesPerSecond < Number.POSITIVE_INFINITY;
  }

  spend(bytes: number): void {
    this.#sentBytes += bytes;
    this.#available -= bytes;
  }

  /** Calls `tell` once, when it is its turn to write something. */
  whenRefilled(tell: () => void): void {
    this.#waiting.push(tell);
    this.#schedule();
  }

  /** What was sent since this was asked last. */
  takeSentBytes(): number {
    const sent = this.#sentBytes;
    this.#sentBytes = 0;
    return sent;
  }

  /** @param isCutShort there was more to be sent, but no time for it */
  #schedule(isCutShort = false): void {
    if (this.#timer !== undefined) return;
    const { debtMs } = this;
    const delayMs = Math.max(isCutShort && debtMs === 0 ? 1 : tickMs, Math.ceil(debtMs));
    this.#timer = this.#clock.schedule(delayMs, () => {
      this.#refill();
      // Who is told may wait again at once, behind the others.
      const told = this.#waiting;
      this.#waiting = [];
      const endsAtMs = this.#clock.now() + tellingMs;
      let turn = 0;
      while (turn < told.length && this.#available > 0 && this.#clock.now() < endsAtMs) {
        if (this.hasMadeMuch) break;
        told[turn]?.();
        turn += 1;
      }
      this.#waiting = [...told.slice(turn), ...this.#waiting];
      // Only now: who is told, and waits again, would set a second one.
      this.#timer = undefined;
      if (this.#waiting.length > 0) this.#schedule(turn < told.length);
    });
  }

  #refill(): void {
    const nowMs = this.#clock.now();
    // The clock may have been set back.
    const elapsedMs = nowMs - this.#refilledAtMs;
    this.#refilledAtMs = nowMs;
    if (elapsedMs <= 0) return;
    const most = this.#bytesPerSecond * burstSeconds;
    this.#available = Math.min(most, this.#available + (elapsedMs * this.#bytesPerSecond) / 1_000);
  }
}
