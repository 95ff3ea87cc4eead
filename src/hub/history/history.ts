import type { OrderKey } from '../../sequence/order-key.ts';
import type { EventOrder } from '../../sequence/order.ts';
import {
  compareReached,
  hasReached,
  type Offsets,
  type StreamPosition,
  withLane,
} from '../cursor/stream-position.ts';
import { Replay } from './replay.ts';
import { seam, type SeamOptions } from './seam.ts';
import { firstWhere } from './search.ts';
import { type Copy, Segment } from './segment.ts';
import { StreamMessage } from './stream-message.ts';

export interface HistoryOptions<Item> {
  /** Of dead letters: `ARRIVAL`. */
  readonly order: EventOrder;
  /** What the history takes at the most: texts and a fixed amount for each message and copy. */
  readonly maxBytes: number;
  /**
   * Where the stream begins: a position of which is true what K, R and V say, as of any that another stream
   * had. A stream that begins with `K: null` in the midst of the log has none.
   */
  readonly start: StreamPosition;
  readonly recordOf: SeamOptions<Item>['recordOf'];
  /** Length of the item's texts. */
  readonly bytesOf: (item: Item) => number;
}

/** About what a message takes beside its texts: itself, position, key, and a cursor. */
const messageOverheadBytes = 512;
const copyOverheadBytes = 200;
/** A segment ends with the turn in which it comes to one of these, or to a part of `maxBytes`. */
const segmentEntries = 256;
const segmentsPerHistory = 16;

/**
 * What a stream emitted last, in memory: for those who come back, were too slow, or have read the log
 * up to here. `after` says what follows a position, exactly.
 *
 * Between two positions of a stream that both have been reached from the client's, the stream's own
 * messages follow each other for the client as well; up to there a `seam` leads.
 */
export class History<Item> {
  readonly #options: HistoryOptions<Item>;
  readonly #segments: [Segment<Item>, ...Segment<Item>[]];
  #last: Segment<Item>;
  #bytes = 0;
  #isInTurn = false;
  /** The stream's position as far as it is known: that of the last mark, moved on by what was emitted since. */
  #key: OrderKey | null;
  #next: Offsets;
  #lowest: Offsets;

  constructor(options: HistoryOptions<Item>) {
    this.#options = options;
    const { start } = options;
    this.#last = new Segment(start);
    this.#segments = [this.#last];
    this.#key = start.key;
    this.#next = start.next;
    this.#lowest = start.lowest;
  }

  /** What it takes, as `maxBytes` counts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** From where on all is remembered. */
  get start(): StreamPosition {
    return this.#segments[0].start;
  }

  /** Where the stream stood at the last mark. */
  get position(): StreamPosition {
    return this.#last.end;
  }

  /**
   * The stream emits an item. To be called in the order of emission.
   * @param key its place in the order; `null`: it has none
   * @returns the message for all clients
   */
  emitted(item: Item, late: boolean, key: OrderKey | null): StreamMessage<Item> {
    const { recordOf, bytesOf } = this.#options;
    const { lane, offset } = recordOf(item);
    const before = this.#next;
    this.#isInTurn = true;
    // At or below K it is late, and K stays.
    if (key !== null && compareReached(key, this.#key) > 0) this.#key = key;
    this.#moveNext(lane, offset);
    const position = { key: this.#key, next: this.#next, lowest: this.#lowest };
    const message = new StreamMessage(item, late, position, key);
    this.#last.messages.push(message);
    this.#grow(
      messageOverheadBytes + bytesOf(item) + (this.#next === before ? 0 : 8 * before.length),
    );
    return message;
  }

  /**
   * The stream drops a record as a copy. Not to be told while it reads again what lies below R of its start
   * (`Sequencer.rereading`): of those records the one that counts is held, and will be emitted or dropped.
   */
  copy(item: Item, key: OrderKey | null): void {
    const { id, lane, offset } = this.#options.recordOf(item);
    if (id === null) return;
    this.#isInTurn = true;
    this.#last.copies.push({ id, lane, offset, key });
    this.#grow(copyOverheadBytes + id.length);
  }

  /** The stream has done with an answer and released what was due. @param position where it stands */
  mark(position: StreamPosition): void {
    this.#isInTurn = false;
    this.#key = position.key;
    this.#next = position.next;
    this.#lowest = position.lowest;
    const last = this.#last;
    last.end = position;
    const { maxBytes } = this.#options;
    const isFull =
      last.messages.length + last.copies.length >= segmentEntries ||
      last.bytes >= maxBytes / segmentsPerHistory;
    if (isFull) this.#beginSegment(position);
    while (this.#bytes > maxBytes && this.#segments.length > 1) this.#forgetOldest();
  }

  /**
   * What follows a position. `gone`: it is not remembered from there on, or never was known here.
   * `ahead`: the stream has not come so far. It will soon, as a rule: ask again after a mark.
   *
   * Not to be called between an emission and the mark.
   */
  after(position: StreamPosition): Replay<Item> | 'gone' | 'ahead' {
    if (this.#isInTurn) throw new Error('the history was asked in the midst of a turn');
    if (!hasReached(position, this.start)) return 'gone';
    if (!hasReached(this.position, position)) return 'ahead';
    const to = this.#firstThatReached(position);
    const { order, recordOf } = this.#options;
    const { messages, copies } = this.#between(position, to);
    // What comes behind the end of a segment is still to be emitted, or in the next one.
    const onward = Math.min(to.at + 1, to.segment.messages.length);
    if (messages.length === 0) return new Replay([], to.segment, onward);
    const sewn = seam({
      order,
      recordOf,
      from: position,
      to: to.segment.positionAt(to.at),
      messages,
      copies,
    });
    return new Replay(sewn, to.segment, onward);
  }

  #firstThatReached(position: StreamPosition): Place<Item> {
    const segments = this.#segments;
    const index = firstWhere(segments.length - 1, (at) =>
      hasReached(segments[at]?.end ?? this.position, position),
    );
    const segment = segments[index] ?? this.#last;
    const at = firstWhere(segment.messages.length, (at) =>
      hasReached(segment.positionAt(at), position),
    );
    return { segment, at };
  }

  /**
   * The messages up to `to` that may not have been emitted at the position: those after the last of the
   * stream's positions that it has reached. And of copies all since the mark before that.
   */
  #between(
    position: StreamPosition,
    to: Place<Item>,
  ): Pick<SeamOptions<Item>, 'messages' | 'copies'> {
    const segments = this.#segments;
    const index =
      firstWhere(segments.length, (at) => !hasReached(position, segments[at]?.start ?? position)) -
      1;
    const first = segments[index] ?? this.#last;
    const from = firstWhere(
      first.messages.length,
      (at) => !hasReached(position, first.positionAt(at)),
    );
    const messages: StreamMessage<Item>[] = [];
    const copies: Copy[] = [];
    for (let at = index; at < segments.length; at++) {
      const segment = segments[at] ?? this.#last;
      const isLast = segment === to.segment;
      messages.push(
        ...segment.messages.slice(at === index ? from : 0, isLast ? to.at + 1 : undefined),
      );
      copies.push(...segment.copies);
      if (isLast) return { messages, copies };
    }
    return { messages: [], copies: [] };
  }

  /**
   * R moves past a record. It may be further in truth, past records that are held or were dropped: what has
   * been emitted is the same.
   */
  #moveNext(lane: number, offset: number): void {
    const next = this.#next;
    const end = next[lane] ?? 0;
    if (offset < end) return;
    this.#next = withLane(next, lane, offset + 1);
    if (this.#lowest === next) {
      // Nothing was held. If nothing lies between, nothing is now.
      if (offset === end || this.#options.order === 'ARRIVAL') this.#lowest = this.#next;
    }
  }

  #beginSegment(start: StreamPosition): void {
    this.#grow(16 * start.next.length);
    const segment = new Segment<Item>(start);
    this.#last.next = segment;
    this.#last = segment;
    this.#segments.push(segment);
  }

  #grow(bytes: number): void {
    this.#last.bytes += bytes;
    this.#bytes += bytes;
  }

  #forgetOldest(): void {
    const [oldest] = this.#segments;
    oldest.isForgotten = true;
    this.#bytes -= oldest.bytes;
    this.#segments.shift();
  }
}

/** A message of the history; behind the last one of its segment, the segment's end. */
interface Place<Item> {
  readonly segment: Segment<Item>;
  readonly at: number;
}
