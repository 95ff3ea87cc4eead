import type { Parcel } from '../../hub/parcel.ts';
import { type Division, eventFrames, oneLine } from '../event-stream.ts';
import type { SentBy } from '../sent.ts';
import type { SharedFrames } from '../shared-frames.ts';
import { messageText, progressText, typeOf } from './message-text.ts';
import type { MessageType } from './protocol.ts';

/** Messages as server-sent events, the very same bytes for all clients of plain feeds. */
export class EventFrames {
  readonly #sent: SentBy;
  /** Forgotten with their parcels. */
  readonly #made = {
    chunked: new WeakMap<Parcel, SharedFrames>(),
    'by the end': new WeakMap<Parcel, SharedFrames>(),
  };

  constructor(sent: SentBy) {
    this.#sent = sent;
  }

  of(parcel: Parcel, division: Division): SharedFrames {
    const made = this.#made[division];
    let frames = made.get(parcel);
    if (frames === undefined) {
      const bytes = Buffer.concat(eventsOf(parcel));
      frames = eventFrames(bytes, division, this.#sent.contentOf(parcel));
      made.set(parcel, frames);
    }
    return frames;
  }
}

function eventsOf({ items, after, encode, isLive = false }: Parcel): Buffer[] {
  if (items.length > 0) {
    return items.map((item) => serverSentEvent(typeOf(item), messageText(item), item.cursor));
  }
  if (encode === undefined) return [];
  const cursor = encode(after);
  const type = isLive ? 'live' : 'progress';
  return [serverSentEvent(type, progressText(cursor, isLive), cursor)];
}

/** A message of the protocol as a server-sent event. @param cursor its id, by which a client goes on */
export function serverSentEvent(type: MessageType, text: string | Buffer, cursor?: string): Buffer {
  const id = cursor === undefined ? '' : `id: ${cursor}\n`;
  const head = Buffer.from(`event: ${type}\n${id}data: `);
  return Buffer.concat([head, oneLine(Buffer.from(text)), Buffer.from('\n\n')]);
}
