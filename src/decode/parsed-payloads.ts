/** Of the texts of one generation. */
const generationLength = 1_048_576;

/** What can be parsed again, and need not be kept as it is. */
interface Parsed {
  readonly json: string;
  forgetPayload(): void;
}

/**
 * The events of this process whose payloads were parsed lately. Those who look at one event, filters for the most part,
 * do so together or shortly after one another, while events themselves are kept for long: in histories, batches and
 * intervals, whose bounds count texts. A parsed payload may take 20 times as much (`[{},{},{}]`), so beyond 1 to 2 MiB
 * of text the oldest are forgotten, a generation at a time, and parsed again if somebody asks once more.
 */
export class ParsedPayloads {
  #older: Parsed[] = [];
  #newer: Parsed[] = [];
  #olderLength = 0;
  #newerLength = 0;

  /** Characters of text. */
  get length(): number {
    return this.#olderLength + this.#newerLength;
  }

  add(event: Parsed): void {
    this.#newer.push(event);
    this.#newerLength += event.json.length;
    if (this.#newerLength < generationLength) return;
    for (const each of this.#older) each.forgetPayload();
    this.#older = this.#newer;
    this.#olderLength = this.#newerLength;
    this.#newer = [];
    this.#newerLength = 0;
  }
}

export const parsedPayloads = new ParsedPayloads();
