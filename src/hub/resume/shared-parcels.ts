import { isSame, type StreamPosition } from '../cursor/stream-position.ts';
import type { StreamMessage } from '../history/stream-message.ts';
import type { Message } from '../message.ts';
import type { Parcel } from '../parcel.ts';

/** What is played back next, and for whom. */
export interface Stretch<Raw> {
  /** Who wants the same has the same. */
  readonly wish: string;
  /** Not empty. */
  readonly messages: readonly StreamMessage<Raw>[];
  /** Where the subscriber stands before them. */
  readonly before: StreamPosition;
}

interface Made<Item extends Message> {
  readonly count: number;
  readonly before: StreamPosition;
  /** `null`: none of them is wanted. */
  readonly parcel: Parcel<Item> | null;
  uses: number;
}

/** By the first message: what was made of it and those that follow, by wish. */
interface Place<Item extends Message> {
  readonly byWish: Map<string, Made<Item>>;
  bytes: number;
}

/** Most that is kept, in characters of text and a fixed amount for each parcel; the oldest is forgotten then. */
const maxBytes = 4 * 2 ** 20;
/**
 * How many are given one parcel, before it is made anew: what each of them has made of it for sending, in its selection and
 * under its operation's id, lives as long as the parcel does.
 */
const mostUses = 32;
/** About what one takes without its texts. */
const overheadBytes = 500;

/**
 * Parcels of what is played back, for those who come back at about the same time: what is made of them for
 * sending (texts, cursors, frames) is then made once. Nothing is kept while nobody plays anything back.
 */
export class SharedParcels<Raw, Item extends Message> {
  /** The one that was used longest ago first. */
  readonly #places = new Map<StreamMessage<Raw>, Place<Item>>();
  readonly #bytesOf: (item: Raw) => number;
  #uses = 0;
  #bytes = 0;

  /** @param bytesOf length of an item's texts */
  constructor(bytesOf: (item: Raw) => number) {
    this.#bytesOf = bytesOf;
  }

  /** What is kept, as the bound counts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** From now on parcels are kept. @returns ends that */
  use(): () => void {
    this.#uses += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#uses -= 1;
      if (this.#uses > 0) return;
      this.#places.clear();
      this.#bytes = 0;
    };
  }

  /** The parcel of a stretch: one for all who want it. @param make called if there is none yet */
  of(
    { wish, messages, before }: Stretch<Raw>,
    make: () => Parcel<Item> | null,
  ): Parcel<Item> | null {
    const [first] = messages;
    if (first === undefined) throw new Error('a stretch without a message');
    const place = this.#places.get(first);
    if (place !== undefined) {
      this.#places.delete(first);
      this.#places.set(first, place);
    }
    const made = place?.byWish.get(wish);
    const isShared =
      made !== undefined &&
      made.uses < mostUses &&
      made.count === messages.length &&
      isQuiteSame(made.before, before);
    if (isShared) {
      made.uses += 1;
      return made.parcel;
    }
    const parcel = make();
    if (this.#uses > 0) {
      this.#keep(first, wish, { count: messages.length, before, parcel, uses: 1 });
    }
    return parcel;
  }

  #keep(first: StreamMessage<Raw>, wish: string, made: Made<Item>): void {
    const place = this.#places.get(first) ?? { byWish: new Map(), bytes: 0 };
    const old = place.byWish.get(wish);
    const grownBy = bytesOf(made) - (old === undefined ? 0 : bytesOf(old));
    const newBytes = place.bytes === 0 ? this.#bytesOf(first.item) : 0;
    place.byWish.set(wish, made);
    place.bytes += grownBy + newBytes;
    this.#bytes += grownBy + newBytes;
    this.#places.set(first, place);
    for (const [oldest, { bytes }] of this.#places) {
      if (this.#bytes <= maxBytes) return;
      this.#places.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}

function bytesOf({ parcel }: Made<Message>): number {
  return overheadBytes + (parcel?.size ?? 0);
}

/** Who loses a parcel goes back to its `before`, which must be its own: under the same leaders, too. */
function isQuiteSame(a: StreamPosition, b: StreamPosition): boolean {
  if (!isSame(a, b)) return false;
  const [epochs, others] = [a.epochs ?? [], b.epochs ?? []];
  const lanes = Math.max(epochs.length, others.length);
  for (let lane = 0; lane < lanes; lane += 1) {
    if ((epochs[lane] ?? null) !== (others[lane] ?? null)) return false;
  }
  return true;
}
