import type { Leaf } from './leaves.ts';

/** An event or a dead letter as the page shows it. */
export interface Shown {
  /** Its place in the log, which no other message has. */
  readonly place: string;
  readonly timestamp: string;
  readonly title: string;
  /** What the title means, or the whole of it. */
  readonly hint: string;
  readonly late: boolean;
  /** Left out by the delivery mode before it. */
  readonly omitted: number;
  readonly cursor: string;
  /** What went wrong, of a dead letter. */
  readonly error: string | undefined;
  /** What a line has room for; made when it is shown. */
  readonly leaves: () => readonly Leaf[];
  /** The whole payload. */
  readonly detail: () => string;
  /** What else there is to say of it. */
  readonly facts: readonly (readonly [name: string, text: string])[];
}

/** How many of the newest messages are kept. */
export const keptMessages = 200;

/** The newest messages first. While it is held, the list stays, and only counts. */
export class Messages {
  #shown: readonly Shown[] = [];
  /** Newest last; as many as are kept. */
  #newest: Shown[] = [];
  #waiting = 0;
  #held = false;

  get shown(): readonly Shown[] {
    return this.#shown;
  }

  /** How many have come since the list is held. */
  get waiting(): number {
    return this.#waiting;
  }

  get held(): boolean {
    return this.#held;
  }

  set held(held: boolean) {
    this.#held = held;
    if (!held) this.refresh();
  }

  add(message: Shown): void {
    this.#newest.push(message);
    if (this.#newest.length >= 2 * keptMessages) this.#newest = this.#newest.slice(-keptMessages);
    this.#waiting++;
  }

  /** Takes over what has come: once for each picture, however much it is. */
  refresh(): void {
    if (this.#held || this.#waiting === 0) return;
    this.#shown = this.#newest.slice(-keptMessages).toReversed();
    this.#waiting = 0;
  }

  clear(): void {
    this.#shown = [];
    this.#newest = [];
    this.#waiting = 0;
  }
}
