import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import type { SentBy } from '../sent.ts';
import { SharedFrames } from '../shared-frames.ts';
import { SharedMessage } from '../websocket/shared-message.ts';
import { messageText, progressText } from './message-text.ts';

/** Messages as WebSocket frames, the very same bytes for all clients of plain feeds. */
export class SocketFrames {
  readonly #sent: SentBy;
  /** Forgotten with their parcels. */
  readonly #plain = new WeakMap<Parcel, SharedFrames>();
  readonly #compressed = new WeakMap<Parcel, SharedFrames>();
  /** Compressed once, also for those who get the message in different parcels. */
  readonly #messages = new WeakMap<Message, SharedMessage>();

  constructor(sent: SentBy) {
    this.#sent = sent;
  }

  /**
   * A frame for each message of the parcel.
   *
   * @param compresses the client has negotiated compression
   */
  of(parcel: Parcel, compresses: boolean): SharedFrames {
    const made = compresses ? this.#compressed : this.#plain;
    let frames = made.get(parcel);
    if (frames === undefined) {
      frames = this.#make(parcel, compresses);
      made.set(parcel, frames);
    }
    return frames;
  }

  #make(parcel: Parcel, compresses: boolean): SharedFrames {
    const { items, after, encode, isLive } = parcel;
    if (items.length === 0 && encode !== undefined) {
      return textFrame(progressText(encode(after), isLive ?? false));
    }
    const parts = items.flatMap((item) => this.#message(item, compresses).frame('', compresses));
    return new SharedFrames(Buffer.concat(parts), [], this.#sent.contentOf(parcel));
  }

  #message(item: Message, compresses: boolean): SharedMessage {
    const make = (): SharedMessage => new SharedMessage(messageText(item));
    if (!compresses) return make();
    let message = this.#messages.get(item);
    if (message === undefined) {
      message = make();
      this.#messages.set(item, message);
    }
    return message;
  }
}

/** A text as one frame. */
export function textFrame(text: string): SharedFrames {
  return new SharedFrames(Buffer.concat(new SharedMessage(text).frame('', false)));
}
