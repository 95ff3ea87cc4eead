import type { StreamPosition } from './cursor/stream-position.ts';
import type { EncodeCursor, Message } from './message.ts';

/** What is due for some subscribers at the end of a turn: one object for all of them. */
export interface Parcel<Item extends Message = Message> {
  /** In order. None: a report of progress. */
  readonly items: readonly Item[];
  /** The length of their texts together, in characters. */
  readonly size: number;
  /** Where a subscriber stands that has got all before this; who loses it goes on from there. */
  readonly before: StreamPosition;
  /** Where it stands with this. */
  readonly after: StreamPosition;
  /** Of a report of progress: makes the cursor of `after`. */
  readonly encode?: EncodeCursor | undefined;
  /** A report that the subscriber has come to what is recorded now. */
  readonly isLive?: boolean;
  /**
   * It is read again for who came back, or asked for the past, or it waited as it was asked to: how old it is
   * says nothing about us.
   */
  readonly isOfPast: boolean;
}

export function parcelOf<Item extends Message>(
  items: readonly Item[],
  before: StreamPosition,
  after: StreamPosition,
  { encode, isOfPast = false }: Partial<Pick<Parcel, 'encode' | 'isOfPast'>> = {},
): Parcel<Item> {
  let size = 0;
  for (const item of items) size += item.size;
  return { items, size, before, after, encode, isOfPast };
}

/** Tells a subscriber that it has come from the past to what is recorded now. @param at where it stands */
export function liveParcel<Item extends Message>(
  at: StreamPosition,
  encode: EncodeCursor,
): Parcel<Item> {
  return { items: [], size: 0, before: at, after: at, encode, isLive: true, isOfPast: true };
}
