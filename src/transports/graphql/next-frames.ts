import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import { SharedFrames } from '../shared-frames.ts';
import { headerLength, writeTextHeader } from '../websocket-frame.ts';
import type { Selection } from './selection.ts';

const head = Buffer.from('{"id":');
const middle = Buffer.from(',"type":"next","payload":');
const tail = Buffer.from('}');

/** The `next` messages of graphql-transport-ws for one selection, made once for all its subscribers. */
export class NextFrames {
  readonly #selection: Selection;
  /** Of the parcel that was asked for last, by the length of the mark: a group asks for one at a time. */
  #parcel: Parcel | undefined;
  readonly #made = new Map<number, SharedFrames>();

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /**
   * A frame for each item of the parcel.
   *
   * @param markLength bytes of the operation's id as JSON text
   * @param context what resolvers get that depend on who asks
   */
  of(parcel: Parcel, markLength: number, context: () => unknown): SharedFrames {
    if (!this.#selection.isShared) return this.#make(parcel, markLength, context);
    if (this.#parcel !== parcel) {
      this.#parcel = parcel;
      this.#made.clear();
    }
    let frames = this.#made.get(markLength);
    if (frames === undefined) {
      frames = this.#make(parcel, markLength, context);
      // It is only known now whether they are for all.
      if (this.#selection.isShared) this.#made.set(markLength, frames);
    }
    return frames;
  }

  #make({ items }: Parcel, markLength: number, context: () => unknown): SharedFrames {
    const payloads = items.map((item: Message) => this.#selection.textOf(item, context));
    return nextFrames(payloads, markLength);
  }
}

/** Frames of `next` messages with these payloads. */
export function nextFrames(payloads: readonly Buffer[], markLength: number): SharedFrames {
  const around = head.length + markLength + middle.length + tail.length;
  let total = 0;
  for (const { length } of payloads) total += headerLength(around + length) + around + length;
  const bytes = Buffer.allocUnsafe(total);
  const places: number[] = [];
  let at = 0;
  for (const payload of payloads) {
    at = writeTextHeader(bytes, at, around + payload.length);
    at += head.copy(bytes, at);
    places.push(at);
    at += markLength;
    at += middle.copy(bytes, at);
    at += payload.copy(bytes, at);
    at += tail.copy(bytes, at);
  }
  return new SharedFrames(bytes, places);
}
