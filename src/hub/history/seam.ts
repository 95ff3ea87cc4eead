import type { OrderKey } from '../../sequence/order-key.ts';
import { compareOrderKeys } from '../../sequence/order-key.ts';
import type { EventOrder } from '../../sequence/order.ts';
import {
  compareReached,
  isBelow,
  type StreamPosition,
  withLane,
} from '../cursor/stream-position.ts';
import type { Offsets } from '../cursor/lanes.ts';
import type { Copy } from './segment.ts';
import { StreamMessage } from './stream-message.ts';

/** A record of some id: the one that was emitted, or a copy. */
type Occurrence = Omit<Copy, 'id'>;

export interface SeamOptions<Item> {
  readonly order: EventOrder;
  readonly recordOf: (item: Item) => {
    readonly id: string | null;
    readonly lane: number;
    readonly offset: number;
  };
  /** Where the client stopped. */
  readonly from: StreamPosition;
  /** A position of the stream that has reached it. */
  readonly to: StreamPosition;
  /** Everything that the stream emitted on its way to `to` and that may not have been emitted at `from`. */
  readonly messages: readonly StreamMessage<Item>[];
  /** At least the copies that it dropped meanwhile. */
  readonly copies: readonly Copy[];
}

interface Missing<Item> {
  readonly message: StreamMessage<Item>;
  /** The record by which the client's order has it: of those below `to` the one with the smallest key. */
  readonly place: Occurrence;
  /** The record with which it became due: one at or below the client's K, the first in its lane. */
  readonly due: Occurrence | null;
}

/**
 * Leads a client from its own position to one of the stream: the messages that it lacks, in an order in
 * which it can stop after any of them.
 *
 * The stream's own order will not do. The two positions come from different interleavings of the lanes, or
 * from instances one of which was ahead, so what the client has after some of the stream's messages is not
 * what *any* (K, R) says, and no cursor could be given. So this is the order in which a sequencer would go
 * that was at `from`, read on to R of `to` at once, and then released up to its K: first R moves, lane by
 * lane, past the records with keys at or below the client's K (emitted late), then K moves, by key. Each step
 * is one of the two of docs/ordering.md, so each of its positions is exact.
 */
export function seam<Item>(options: SeamOptions<Item>): StreamMessage<Item>[] {
  const { order, from, to } = options;
  const missing = missingOf(options);
  if (order === 'ARRIVAL') return joinByArrival(missing, from, to);
  const { epochs } = to;
  const overdue: { readonly message: StreamMessage<Item>; readonly due: Occurrence }[] = [];
  const ordered: Missing<Item>[] = [];
  for (const item of missing) {
    const { message, due } = item;
    if (due === null) ordered.push(item);
    else overdue.push({ message, due });
  }
  overdue.sort((a, b) => a.due.lane - b.due.lane || a.due.offset - b.due.offset);
  ordered.sort((a, b) => compareReached(a.place.key, b.place.key));
  return [
    ...overdue.map(({ message, due }) => {
      const next = movedTo(due, from.next, to.next);
      const position = { key: from.key, next, lowest: from.lowest, epochs };
      return new StreamMessage(message.item, true, position, message.key);
    }),
    ...ordered.map(({ message, place }) => {
      const { key } = place;
      const position = { key, next: to.next, lowest: from.lowest, epochs };
      // By the place of a copy whose key is smaller: its own time may be after those that follow.
      const late = message.late || key !== message.key;
      return new StreamMessage(message.item, late, position, message.key);
    }),
  ];
}

/**
 * Without keys, what has been emitted by any of two positions is what has been by their greater offsets,
 * so the order of the stream can stay.
 */
function joinByArrival<Item>(
  missing: readonly Missing<Item>[],
  from: StreamPosition,
  { epochs }: StreamPosition,
): StreamMessage<Item>[] {
  let next = from.next;
  return missing.map(({ message, place: { lane, offset } }) => {
    if (!isBelow(next, lane, offset)) next = withLane(next, lane, offset + 1);
    return new StreamMessage(message.item, false, { key: null, next, lowest: next, epochs }, null);
  });
}

function missingOf<Item>(options: SeamOptions<Item>): Missing<Item>[] {
  const { recordOf, messages, copies } = options;
  const copiesById = Map.groupBy(copies, ({ id }) => id);
  const missing: Missing<Item>[] = [];
  for (const message of messages) {
    const { id, lane, offset } = recordOf(message.item);
    const own = { lane, offset, key: message.key };
    const others = (id === null ? undefined : copiesById.get(id)) ?? [];
    if (wasEmitted(own, others, options)) continue;
    missing.push({ message, ...placeOf(own, others, options) });
  }
  return missing;
}

/**
 * Whether an event had been emitted where the client stopped: by the invariant, whether a record of it
 * below R has a key at or below K.
 *
 * V says the same in another way: of what lies below it nothing is still to come. That alone tells of
 * records that the client's stream never had, as they were there before the client subscribed, and of those
 * from the future. A copy that is still held at or above V, with a smaller key, is to come nevertheless.
 */
function wasEmitted(
  own: Occurrence,
  copies: readonly Occurrence[],
  { order, from }: Pick<SeamOptions<unknown>, 'order' | 'from'>,
): boolean {
  const isSettled = (record: Occurrence): boolean => {
    // Emitted here at once, but held where the clock was ahead.
    if (isFromFuture(record, order)) return false;
    return isBelow(from.next, record.lane, record.offset) && isReached(record.key, from.key);
  };
  if (isSettled(own) || copies.some(isSettled)) return true;
  if (!isBelow(from.lowest, own.lane, own.offset)) return false;
  return !copies.some(
    ({ key, lane, offset }) =>
      key !== null && isBelow(from.next, lane, offset) && !isBelow(from.lowest, lane, offset),
  );
}

function placeOf(
  own: Occurrence,
  copies: readonly Occurrence[],
  { order, from, to }: Pick<SeamOptions<unknown>, 'order' | 'from' | 'to'>,
): Pick<Missing<unknown>, 'place' | 'due'> {
  let place = own;
  let due: Occurrence | null = isReached(own.key, from.key) ? own : null;
  if (isFromFuture(own, order)) return { place, due };
  for (const copy of copies) {
    // What the stream itself has not read at `to` decides nothing yet, and what is from the future never.
    if (!isBelow(to.next, copy.lane, copy.offset) || isFromFuture(copy, order)) continue;
    if (compareReached(copy.key, place.key) < 0) place = copy;
    if (isReached(copy.key, from.key) && (due === null || isBefore(copy, due))) due = copy;
  }
  return { place, due };
}

/** In TIMESTAMP order every record has a place, but those that were from the future when they were read. */
function isFromFuture({ key }: Occurrence, order: EventOrder): boolean {
  return key === null && order === 'TIMESTAMP';
}

/** Whether a key is at or below K. No key is smaller than all. */
function isReached(key: OrderKey | null, reached: OrderKey | null): boolean {
  return key === null || (reached !== null && compareOrderKeys(key, reached) <= 0);
}

function isBefore(a: Occurrence, b: Occurrence): boolean {
  return a.lane === b.lane ? a.offset < b.offset : a.lane < b.lane;
}

/** R on its way from one to the other, lane by lane, just past the record. */
function movedTo({ lane, offset }: Occurrence, from: Offsets, to: Offsets): Offsets {
  return to.map((end, at) => {
    const begin = from[at] ?? 0;
    if (at < lane) return end;
    return at === lane ? Math.max(begin, offset + 1) : begin;
  });
}
