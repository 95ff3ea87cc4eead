import type { Segment } from './segment.ts';
import type { StreamMessage } from './stream-message.ts';

interface Sizes<Item> {
  /** Length of an item's texts. */
  bytesOf(item: Item): number;
}

/**
 * What a stream has for one client that stopped at some position, message by message, at the client's
 * own pace.
 */
export class Replay<Item> {
  readonly #seam: readonly StreamMessage<Item>[];
  #segment: Segment<Item>;
  /** Of `#seam`, then of the segment's messages. */
  #sewn = 0;
  #at: number;

  readonly #sizes: Sizes<Item>;

  /**
   * @param at where in `segment` the stream's own messages follow
   */
  constructor(
    seam: readonly StreamMessage<Item>[],
    segment: Segment<Item>,
    at: number,
    sizes: Sizes<Item>,
  ) {
    this.#seam = seam;
    this.#segment = segment;
    this.#at = at;
    this.#sizes = sizes;
  }

  /**
   * The next messages, up to a place at which all clients stop as well: so those who began elsewhere get the very
   * same from the second time on.
   *
   * @param most at a time
   * @param mostBytes so much at a time, or the message that makes it more. Who stops for that comes to the others'
   *   place with the next ones.
   */
  take(
    most: number,
    mostBytes: number,
  ): {
    readonly messages: readonly StreamMessage<Item>[];
    /** As of `next`; undefined: there is more. */
    readonly end: 'end' | 'forgotten' | undefined;
  } {
    const messages: StreamMessage<Item>[] = [];
    let bytes = 0;
    for (;;) {
      const next = this.next();
      if (typeof next === 'string') return { messages, end: next };
      messages.push(next);
      bytes += this.#sizes.bytesOf(next.item);
      if (messages.length === most || bytes >= mostBytes || this.#isAtStop(most)) {
        return { messages, end: undefined };
      }
    }
  }

  /** Behind so many messages of a segment, or behind all of one that is complete. */
  #isAtStop(most: number): boolean {
    if (this.#sewn < this.#seam.length) return false;
    const { messages, next } = this.#segment;
    return this.#at % most === 0 || (next !== null && this.#at >= messages.length);
  }

  /**
   * The next message. `end`: the client has all that the stream has emitted, and must be joined to it
   * before it emits again. `forgotten`: the client was too slow for what is remembered; it goes on from
   * its last message in another way.
   */
  next(): StreamMessage<Item> | 'end' | 'forgotten' {
    for (;;) {
      if (this.#segment.isForgotten) return 'forgotten';
      const sewn = this.#seam[this.#sewn];
      if (sewn !== undefined) {
        this.#sewn += 1;
        return sewn;
      }
      const message = this.#segment.messages[this.#at];
      if (message !== undefined) {
        this.#at += 1;
        return message;
      }
      if (this.#segment.next === null) return 'end';
      this.#segment = this.#segment.next;
      this.#at = 0;
    }
  }
}
