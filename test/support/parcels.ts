import { beginning } from '../../src/hub/cursor/stream-position.ts';
import type { Turn } from '../../src/hub/group.ts';
import type { Message, MessagePlace } from '../../src/hub/message.ts';
import { type Parcel, parcelOf } from '../../src/hub/parcel.ts';

/** Where messages are that are not of any stream. */
export const nowhere: MessagePlace = { position: beginning, encode: () => 'cursor' };

/** A parcel whose place does not matter. */
export function parcel<Item extends Message>(...items: readonly Item[]): Parcel<Item> {
  return parcelOf(items, beginning, beginning);
}

/** A turn whose place does not matter. */
export const someTurn: Turn = { before: beginning, after: beginning };
