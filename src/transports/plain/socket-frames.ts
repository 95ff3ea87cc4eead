import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import { SharedFrames } from '../shared-frames.ts';
import { SharedMessage } from '../websocket/shared-message.ts';
import { messageText, progressText } from './message-text.ts';

/** Messages as WebSocket frames, the very same bytes for all clients of plain feeds. */
export class SocketFrames {
  /** That was asked for last: a group of subscriptions asks for one at a time. */
  #parcel: Parcel | undefined;
  #plain: SharedFrames | undefined;
  #compressed: SharedFrames | undefined;
  /** Compressed once, also for those who get the message in different parcels. */
  readonly #messages = new WeakMap<Message, SharedMessage>();

  /**
   * A frame for each item of the parcel.
   *
   * @param compresses the client has negotiated compression
   */
  of(parcel: Parcel, compresses: boolean): SharedFrames {
    if (this.#parcel !== parcel) {
      this.#parcel = parcel;
      this.#plain = undefined;
      this.#compressed = undefined;
    }
    if (!compresses) {
      this.#plain ??= framesOf(parcel, (item) => frameOf(new SharedMessage(messageText(item))));
      return this.#plain;
    }
    this.#compressed ??= framesOf(parcel, (item) => frameOf(this.#message(item), true));
    return this.#compressed;
  }

  #message(item: Message): SharedMessage {
    let message = this.#messages.get(item);
    if (message === undefined) {
      message = new SharedMessage(messageText(item));
      this.#messages.set(item, message);
    }
    return message;
  }
}

/** A text as one frame. */
export function textFrame(text: string): SharedFrames {
  return new SharedFrames(Buffer.concat(frameOf(new SharedMessage(text))));
}

function framesOf(
  { items, after, encode }: Parcel,
  frameOf: (item: Message) => readonly [Buffer, Buffer],
): SharedFrames {
  if (items.length === 0 && encode !== undefined) return textFrame(progressText(encode(after)));
  return new SharedFrames(Buffer.concat(items.flatMap(frameOf)));
}

function frameOf(message: SharedMessage, compresses = false): readonly [Buffer, Buffer] {
  return message.frame('', compresses);
}
