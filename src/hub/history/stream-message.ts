import type { OrderKey } from '../../sequence/order-key.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';

/** One message of a stream, the same for all of its clients. */
export class StreamMessage<Item> {
  readonly item: Item;
  readonly late: boolean;
  /** Where the stream stands when this has been sent: what its cursor says. */
  readonly position: StreamPosition;
  /** The place of the item in the order; `null`: it has none. */
  readonly key: OrderKey | null;
  #cursor: string | undefined;

  constructor(item: Item, late: boolean, position: StreamPosition, key: OrderKey | null) {
    this.item = item;
    this.late = late;
    this.position = position;
    this.key = key;
  }

  /** The cursor, made when it is first asked for. @param encode always the same */
  cursor(encode: (position: StreamPosition) => string): string {
    this.#cursor ??= encode(this.position);
    return this.#cursor;
  }
}
