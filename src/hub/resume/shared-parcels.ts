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
  /** As it was counted last. */
  bytes: number;
}

/** By the first message: what was made of it and those that follow, by wish. */
interface Place<Item extends Message> {
  readonly byWish: Map<string, Made<Item>>;
  bytes: number;
}

/**
 * Most that is kept: texts of events, what was made of them for sending, and a fixed amount for each parcel; the oldest is
 * forgotten then.
 */
const maxBytes = 16 * 2 ** 20;
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
  /** What was given out last. */
  #given:
    | {
        readonly first: StreamMessage<Raw>;
        readonly place: Place<Item>;
        readonly made: Made<Item>;
      }
    | undefined;

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
      this.#given = undefined;
    };
  }

  /** The parcel of a stretch: one for all who want it. @param make called if there is none yet */
  of(
    { wish, messages, before }: Stretch<Raw>,
    make: () => Parcel<Item> | null,
  ): Parcel<Item> | null {
    const [first] = messages;
    if (first === undefined) throw new Error('a stretch without a message');
    this.#countGiven();
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
    if (isShared && place !== undefined) {
      made.uses += 1;
      this.#given = { first, place, made };
      return made.parcel;
    }
    const parcel = make();
    if (this.#uses > 0) {
      this.#keep(first, wish, { count: messages.length, before, parcel, uses: 1, bytes: 0 });
    }
    return parcel;
  }

  #keep(first: StreamMessage<Raw>, wish: string, made: Made<Item>): void {
    const place = this.#places.get(first) ?? { byWish: new Map(), bytes: 0 };
    const oldBytes = place.byWish.get(wish)?.bytes ?? 0;
    made.bytes = bytesOf(made);
    place.byWish.set(wish, made);
    this.#places.set(first, place);
    this.#given = { first, place, made };
    const newBytes = place.bytes === 0 ? this.#bytesOf(first.item) : 0;
    this.#grow(place, made.bytes - oldBytes + newBytes);
  }

  /** Whoever was given it has made of it what is to be sent. */
  #countGiven(): void {
    if (this.#given === undefined) return;
    const { first, place, made } = this.#given;
    this.#given = undefined;
    // It may have been forgotten at once, as it is too much by itself.
    if (this.#places.get(first) !== place) return;
    const bytes = bytesOf(made);
    const grownBy = bytes - made.bytes;
    made.bytes = bytes;
    this.#grow(place, grownBy);
  }

  #grow(place: Place<Item>, bytes: number): void {
    place.bytes += bytes;
    this.#bytes += bytes;
    for (const [oldest, { bytes }] of this.#places) {
      if (this.#bytes <= maxBytes) return;
      this.#places.delete(oldest);
      this.#bytes -= bytes;
    }
  }
}

function bytesOf({ parcel }: Pick<Made<Message>, 'parcel'>): number {
  let bytes = overheadBytes + (parcel?.size ?? 0);
  // Once as texts, and once more in the frames of their transport.
  for (const { madeBytes } of parcel?.items ?? []) bytes += 2 * madeBytes;
  return bytes;
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
