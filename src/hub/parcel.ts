import type { Message } from './message.ts';

/** What is due for some subscribers at the end of a turn: one object for all of them. */
export interface Parcel<Item extends Message = Message> {
  /** In order; never empty. */
  readonly items: readonly Item[];
  /** The length of their texts together, in characters. */
  readonly size: number;
}

export function parcelOf<Item extends Message>(items: readonly Item[]): Parcel<Item> {
  let size = 0;
  for (const item of items) size += item.size;
  return { items, size };
}
