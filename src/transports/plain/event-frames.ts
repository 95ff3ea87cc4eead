import type { Parcel } from '../../hub/parcel.ts';
import { type Division, eventFrames, oneLine } from '../event-stream.ts';
import type { SharedFrames } from '../shared-frames.ts';
import { messageText, typeOf } from './message-text.ts';
import type { MessageType } from './protocol.ts';

/** Messages as server-sent events, the very same bytes for all clients of plain feeds. */
export class EventFrames {
  /** That was asked for last: a group of subscriptions asks for one at a time. */
  #parcel: Parcel | undefined;
  readonly #made = new Map<Division, SharedFrames>();

  of(parcel: Parcel, division: Division): SharedFrames {
    if (this.#parcel !== parcel) {
      this.#parcel = parcel;
      this.#made.clear();
    }
    let frames = this.#made.get(division);
    if (frames === undefined) {
      const texts = parcel.items.map((item) => serverSentEvent(typeOf(item), messageText(item)));
      frames = eventFrames(Buffer.concat(texts), division);
      this.#made.set(division, frames);
    }
    return frames;
  }
}

/** A message of the protocol as a server-sent event. */
export function serverSentEvent(type: MessageType, text: string | Buffer): Buffer {
  const head = Buffer.from(`event: ${type}\ndata: `);
  return Buffer.concat([head, oneLine(Buffer.from(text)), Buffer.from('\n\n')]);
}
