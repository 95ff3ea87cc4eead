/** An item on its way to the app. */
export interface Received<Item> {
  readonly item: Item;
  /** Characters of its JSON. */
  readonly size: number;
  /** Where the feed stands when it has been dealt with; later than its own if progress was reported since. */
  cursor: string;
}

/** What was received and waits for the app, in order. */
export class Inbox<Item> {
  #waiting: Received<Item>[] = [];
  /** Where it begins: taking is not to move all that waits. */
  #first = 0;
  #size = 0;

  /** Characters of JSON that wait. */
  get size(): number {
    return this.#size;
  }

  get last(): Received<Item> | undefined {
    return this.#first < this.#waiting.length ? this.#waiting.at(-1) : undefined;
  }

  put(received: Received<Item>): void {
    this.#waiting.push(received);
    this.#size += received.size;
  }

  take(): Received<Item> | undefined {
    const received = this.#waiting[this.#first];
    if (received === undefined) return undefined;
    this.#first += 1;
    this.#size -= received.size;
    if (this.#first === this.#waiting.length) this.clear();
    else if (this.#first >= 1_024) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return received;
  }

  clear(): void {
    this.#waiting = [];
    this.#first = 0;
    this.#size = 0;
  }
}
