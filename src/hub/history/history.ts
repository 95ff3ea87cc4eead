import type { OrderKey } from '../../sequence/order-key.ts';
import type { EventOrder } from '../../sequence/order.ts';
import type { LeaderEpochs, Offsets } from '../cursor/lanes.ts';
import {
  areAtLeast,
  compareReached,
  hasReached,
  isBelow,
  isSame,
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
  /** Of what has been read. @default none is known */
  readonly epochs?: () => LeaderEpochs;
  /** Length of the item's texts. */
  readonly bytesOf: (item: Item) => number;
}

/** About what a message takes beside its texts: itself, position, key, and a cursor. */
const messageOverheadBytes = 512;
const copyOverheadBytes = 200;
/** Ids of records from the future whose copies are looked for. */
const maxIdsFromFuture = 10_000;
/** A segment ends with the turn in which it comes to one of these, or to a part of `maxBytes`. */
const segmentEntries = 256;
const segmentsPerHistory = 16;

/**
 * What a stream emitted last, in memory: for those who come back, were too slow, or have read the log
 * up to here. `after` says what follows a position, exactly.
 *
 * From the first position of the stream that has reached the client's, the stream's own messages follow for
 * the client as well. A `seam` leads there.
 */
export class History<Item> {
  readonly #options: HistoryOptions<Item>;
  readonly #segments: [Segment<Item>, ...Segment<Item>[]];
  #last: Segment<Item>;
  #bytes = 0;
  #isInTurn = false;
  #lastSeam:
    | {
        readonly from: StreamPosition;
        readonly to: StreamPosition;
        readonly messages: readonly StreamMessage<Item>[];
      }
    | undefined;
  /** Behind the last record of each lane that was from the future. */
  #fromFuture: Offsets = [];
  readonly #idsFromFuture = new Set<string>();
  /** A client that may still wait for a record below these, as one of them was from the future, is not served. */
  #passedOver: Offsets;
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
    // What lies below V was passed over at the start, wherever else it is held: so this also serves a stream
    // that began at the end of a log of which it knew nothing.
    this.#passedOver = start.lowest;
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
    const epochs = this.#options.epochs?.();
    const position = { key: this.#key, next: this.#next, lowest: this.#lowest, epochs };
    const message = new StreamMessage(item, late, position, key);
    this.#last.messages.push(message);
    if (this.#isFromFuture(message)) this.#rememberFromFuture(item);
    this.#grow(
      messageOverheadBytes + bytesOf(item) + (this.#next === before ? 0 : 8 * before.length),
    );
    return message;
  }

  /**
   * The stream drops a record as a copy. Not to be told while it reads again what lies below R of its start
   * (`Sequencer.rereading`): of those records the one that counts is held, and will be emitted or dropped.
   *
   * @param isDoubtful the other one may lie before the start, and this one be held in its place elsewhere
   */
  copy(item: Item, key: OrderKey | null, isDoubtful = false): void {
    const { id, lane, offset } = this.#options.recordOf(item);
    if (id === null) return;
    this.#isInTurn = true;
    this.#last.copies.push({ id, lane, offset, key });
    // Where the other one is held, this may be held in its place.
    if (isDoubtful || this.#idsFromFuture.has(id)) this.#passOver(lane, offset);
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
    if (!this.#covers(position)) return 'gone';
    if (!hasReached(this.position, position)) return 'ahead';
    const to = this.#firstThatReached(position);
    const { messages, copies } = this.#between(position, to);
    // What comes behind the end of a segment is still to be emitted, or in the next one.
    const onward = Math.min(to.at + 1, to.segment.messages.length);
    if (messages.length === 0) return new Replay([], to.segment, onward, this.#options);
    const sewn = this.#sewn(position, to.segment.positionAt(to.at), { messages, copies });
    return new Replay(sewn, to.segment, onward, this.#options);
  }

  /** Many clients may stop at one position, as where an instance was lost: they get the same messages. */
  #sewn(
    from: StreamPosition,
    to: StreamPosition,
    between: Pick<SeamOptions<Item>, 'messages' | 'copies'>,
  ): readonly StreamMessage<Item>[] {
    const last = this.#lastSeam;
    if (last?.to === to && isSame(last.from, from)) return last.messages;
    const { order, recordOf } = this.#options;
    const messages = seam({ order, recordOf, from, to, ...between });
    this.#lastSeam = { from, to, messages };
    return messages;
  }

  /** Whether all that had been emitted at the start has been emitted at the position as well. */
  #covers(position: StreamPosition): boolean {
    return hasReached(position, this.start) && areAtLeast(position.lowest, this.#passedOver);
  }

  #firstThatReached(position: StreamPosition): Place<Item> {
    const segments = this.#segments;
    const index = firstWhere(segments.length - 1, (at) =>
      hasReached(this.#segmentAt(at).end, position),
    );
    const segment = this.#segmentAt(index);
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
    // Some may be from the future, and held at the client's stream, wherever they are here.
    const isWhole = !areAtLeast(position.lowest, this.#fromFuture);
    const index = isWhole
      ? 0
      : firstWhere(segments.length, (at) => !hasReached(position, this.#segmentAt(at).start)) - 1;
    const first = this.#segmentAt(index);
    const from = isWhole
      ? 0
      : firstWhere(first.messages.length, (at) => !hasReached(position, first.positionAt(at)));
    const messages: StreamMessage<Item>[] = [];
    const copies: Copy[] = [];
    for (let at = index; at < segments.length; at++) {
      const segment = this.#segmentAt(at);
      const isLast = segment === to.segment;
      const end = isLast ? to.at + 1 : segment.messages.length;
      // Not spread: a turn may have more messages than a call can have arguments.
      for (const message of segment.messages.slice(at === index ? from : 0, end)) {
        messages.push(message);
      }
      for (const copy of segment.copies) copies.push(copy);
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

  #rememberFromFuture(item: Item): void {
    const { id, lane, offset } = this.#options.recordOf(item);
    this.#fromFuture = raised(this.#fromFuture, lane, offset);
    if (id === null) return;
    for (const copy of this.#last.copies) {
      if (copy.id === id) this.#passOver(copy.lane, copy.offset);
    }
    this.#idsFromFuture.add(id);
    if (this.#idsFromFuture.size <= maxIdsFromFuture) return;
    for (const oldest of this.#idsFromFuture) {
      this.#idsFromFuture.delete(oldest);
      return;
    }
  }

  #passOver(lane: number, offset: number): void {
    this.#passedOver = raised(this.#passedOver, lane, offset);
  }

  #segmentAt(index: number): Segment<Item> {
    return this.#segments[index] ?? this.#last;
  }

  /** Such a record may be held elsewhere: see `seam`. */
  #isFromFuture({ key }: StreamMessage<Item>): boolean {
    return key === null && this.#options.order === 'TIMESTAMP';
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
    // A client that takes nothing may be in the midst of it: it must not hold on to all that came since.
    oldest.next = null;
    this.#lastSeam = undefined;
    this.#bytes -= oldest.bytes;
    this.#segments.shift();
    for (const message of oldest.messages) {
      if (!this.#isFromFuture(message)) continue;
      const { lane, offset } = this.#options.recordOf(message.item);
      this.#passOver(lane, offset);
    }
  }
}

/** The offsets raised past a record. */
function raised(offsets: Offsets, lane: number, offset: number): Offsets {
  return isBelow(offsets, lane, offset) ? offsets : withLane(offsets, lane, offset + 1);
}

/** A message of the history; behind the last one of its segment, the segment's end. */
interface Place<Item> {
  readonly segment: Segment<Item>;
  readonly at: number;
}
