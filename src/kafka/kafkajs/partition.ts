import { backoffMs } from '../backoff.ts';

/** How far one partition has been read, and when it may be asked for. */
export class Partition {
  readonly id: number;
  /** The next offset to ask for. */
  position: number;
  /** `null`: none is known. */
  leader: number | null = null;
  paused = false;
  /** Whether the last answer left something in the log. */
  behind = true;
  #lastLeader: number | null = null;
  #failures = 0;
  #retryAt = 0;

  constructor(id: number, position: number) {
    this.id = id;
    this.position = position;
  }

  /** Milliseconds until it may be asked for again. */
  waitMs(now: number): number {
    return Math.max(0, this.#retryAt - now);
  }

  answered(): void {
    this.#failures = 0;
    this.#retryAt = 0;
  }

  refused(now: number): void {
    this.#failures += 1;
    this.#retryAt = now + backoffMs(this.#failures);
  }

  /** A new leader is asked at once, and backed off from only if it refuses too. */
  ledBy(leader: number | null): void {
    this.leader = leader;
    if (leader === null || leader === this.#lastLeader) return;
    this.#lastLeader = leader;
    this.#retryAt = 0;
  }
}
