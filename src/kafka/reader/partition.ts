import { backoffMs } from '../backoff.ts';

/** How far one partition has been read, and when it may be asked for. */
export class Partition {
  readonly id: number;
  /** The next offset to ask for. */
  position: number;
  /** `null`: none is known. */
  leader: number | null = null;
  /** Of that leader; `null`: unknown. */
  leaderEpoch: number | null = null;
  /**
   * Of the leader that wrote the last batch that was read: by it a leader finds out that its log is no
   * longer the one that was read. `null`: it is not to judge by it.
   */
  readEpoch: number | null = null;
  /** Nothing has been read here: `readEpoch` was given, and may be a later one than that of the record before. */
  isUnread = true;
  paused = false;
  /** The node whose answer about it has been taken note of, and not been handed over. */
  inHand: number | null = null;
  /** Whether the last answer left something in the log. */
  behind = true;
  #lastLeader: number | null = null;
  #failures = 0;
  #retryAtMs = 0;

  constructor(id: number, position: number) {
    this.id = id;
    this.position = position;
  }

  /**
   * Milliseconds until it may be asked for again.
   *
   * @param nowMs of `performance.now()`, here and below
   */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#retryAtMs - nowMs);
  }

  answered(): void {
    this.#failures = 0;
    this.#retryAtMs = 0;
  }

  refused(nowMs: number): void {
    this.#failures += 1;
    this.#retryAtMs = nowMs + backoffMs(this.#failures);
  }

  /** A new leader is asked at once, and backed off from only if it refuses too. */
  ledBy(leader: number | null, leaderEpoch: number | null = null): void {
    this.leader = leader;
    this.leaderEpoch = leaderEpoch;
    if (leader === null || leader === this.#lastLeader) return;
    this.#lastLeader = leader;
    this.#retryAtMs = 0;
  }
}
