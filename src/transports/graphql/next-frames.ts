import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import type { SentBy } from '../sent.ts';
import { SharedFrames } from '../shared-frames.ts';
import { SharedMessage } from '../websocket/shared-message.ts';
import type { Selection } from './selection.ts';

const head = Buffer.from('{"id":');
const middle = Buffer.from(',"type":"next","payload":');
const tail = Buffer.from('}');

/** Who the frames are for, as far as they depend on it. */
export interface FrameReceiver {
  /** The client has negotiated compression. */
  readonly compresses: boolean;
  /** What resolvers get that depend on who asks. */
  context(): unknown;
}

/** The `next` messages of graphql-transport-ws for one selection, made once for all its subscribers. */
export class NextFrames {
  readonly #selection: Selection;
  readonly #sent: SentBy;
  /** By kind; forgotten with their parcel. */
  readonly #made = new WeakMap<Parcel, Map<number, SharedFrames>>();
  /** Compressed once, also for those who get the message in different parcels. */
  readonly #compressed = new WeakMap<Message, SharedMessage>();

  constructor(selection: Selection, sent: SentBy) {
    this.#selection = selection;
    this.#sent = sent;
  }

  /** What has been made for others who get the same. @param markLength as of `make` */
  known(
    parcel: Parcel,
    markLength: number,
    { compresses }: FrameReceiver,
  ): SharedFrames | undefined {
    if (!this.#selection.isShared) return undefined;
    return this.#made.get(parcel)?.get(keyOf(markLength, compresses));
  }

  /**
   * A frame for each item of the parcel, known from then on if it is for others as well.
   *
   * @param markLength bytes of the mark: the operation's id as JSON text
   */
  make(parcel: Parcel, markLength: number, receiver: FrameReceiver): SharedFrames {
    const frames = this.#make(parcel, markLength, receiver);
    // It is only known now whether they are for all.
    if (!this.#selection.isShared) return frames;
    const made = this.#made.get(parcel) ?? new Map<number, SharedFrames>();
    this.#made.set(parcel, made.set(keyOf(markLength, receiver.compresses), frames));
    return frames;
  }

  #make(parcel: Parcel, markLength: number, receiver: FrameReceiver): SharedFrames {
    const beginning = Buffer.concat([head, Buffer.alloc(markLength), middle]);
    const parts: Buffer[] = [];
    const places: number[] = [];
    let at = 0;
    for (const item of parcel.items) {
      const [first, second] = this.#message(item, receiver).frame(beginning, receiver.compresses);
      places.push(at + first.length - beginning.length + head.length);
      parts.push(first, second);
      at += first.length + second.length;
    }
    return new SharedFrames(Buffer.concat(parts, at), places, this.#sent.contentOf(parcel));
  }

  #message(item: Message, receiver: FrameReceiver): SharedMessage {
    const text = this.#selection.textOf(item, () => receiver.context());
    const make = (): SharedMessage => new SharedMessage(Buffer.concat([text, tail]));
    if (!receiver.compresses || !this.#selection.isShared) return make();
    let message = this.#compressed.get(item);
    if (message === undefined) {
      message = make();
      this.#compressed.set(item, message);
    }
    return message;
  }
}

function keyOf(markLength: number, compresses: boolean): number {
  return markLength * 2 + (compresses ? 1 : 0);
}
