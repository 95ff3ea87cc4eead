import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import { SharedFrames } from '../shared-frames.ts';
import { SharedMessage } from '../websocket/shared-message.ts';
import type { Selection } from './selection.ts';

const head = Buffer.from('{"id":');
const middle = Buffer.from(',"type":"next","payload":');
const tail = Buffer.from('}');

/** What may differ between the frames of one message, beside the mark itself. */
export interface FrameKind {
  /** Bytes of the mark: the operation's id as JSON text. */
  readonly markLength: number;
  /** The client has negotiated compression. */
  readonly compresses: boolean;
}

/** The `next` messages of graphql-transport-ws for one selection, made once for all its subscribers. */
export class NextFrames {
  readonly #selection: Selection;
  /** By kind; forgotten with their parcel. */
  readonly #made = new WeakMap<Parcel, Map<number, SharedFrames>>();
  /** Compressed once, also for those who get the message in different parcels. */
  readonly #compressed = new WeakMap<Message, SharedMessage>();

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /**
   * A frame for each item of the parcel.
   *
   * @param context what resolvers get that depend on who asks
   */
  of(parcel: Parcel, kind: FrameKind, context: () => unknown): SharedFrames {
    if (!this.#selection.isShared) return this.#make(parcel, kind, context);
    let made = this.#made.get(parcel);
    if (made === undefined) {
      made = new Map();
      this.#made.set(parcel, made);
    }
    const key = kind.markLength * 2 + (kind.compresses ? 1 : 0);
    let frames = made.get(key);
    if (frames === undefined) {
      frames = this.#make(parcel, kind, context);
      // It is only known now whether they are for all.
      if (this.#selection.isShared) made.set(key, frames);
    }
    return frames;
  }

  #make({ items }: Parcel, kind: FrameKind, context: () => unknown): SharedFrames {
    const beginning = Buffer.concat([head, Buffer.alloc(kind.markLength), middle]);
    const parts: Buffer[] = [];
    const places: number[] = [];
    let at = 0;
    for (const item of items) {
      const [first, second] = this.#message(item, kind, context).frame(beginning, kind.compresses);
      places.push(at + first.length - beginning.length + head.length);
      parts.push(first, second);
      at += first.length + second.length;
    }
    return new SharedFrames(Buffer.concat(parts, at), places);
  }

  #message(item: Message, { compresses }: FrameKind, context: () => unknown): SharedMessage {
    const text = this.#selection.textOf(item, context);
    const make = (): SharedMessage => new SharedMessage(Buffer.concat([text, tail]));
    if (!compresses || !this.#selection.isShared) return make();
    let message = this.#compressed.get(item);
    if (message === undefined) {
      message = make();
      this.#compressed.set(item, message);
    }
    return message;
  }
}
