import { type Mark, markText } from './mark.ts';

/** Length of a client's operation ids: the number of the subscription, with zeros in front. */
export const operationIdDigits = 6;

/**
 * What a `next` message with the selection `{ id timestamp payload }` has around the payload. The sizes
 * of messages that the bench speaks of are of this whole message, as text, without its frame's header.
 */
const envelopeBytes = [
  `{"id":"${'0'.repeat(operationIdDigits)}","type":"next","payload":{"data":{"events":`,
  `{"id":"${'0'.repeat(24)}","timestamp":"2026-11-23T17:00:00.000Z","payload":}}}}`,
].join('').length;

export interface EventContent {
  readonly mark: Mark;
  /** Unlike that of any other event. */
  readonly id: string;
  /** `user.id`. */
  readonly user: string;
  /** Of the message in which it is delivered, see above. */
  readonly messageBytes: number;
}

/** An event as its JSON text. Its id has 24 characters; other lengths are evened out. */
export function eventText({ mark, id, user, messageBytes }: EventContent): string {
  const head = `{"keen":{"id":"${id}","timestamp":"${new Date().toISOString()}"},"mark":"${markText(mark)}"`;
  const body = `,"sequence_number":${mark.n},"user":{"id":"${user}","country":"DE"},"item":{"sku":"A-1000","price":12.5}`;
  const missing = messageBytes - envelopeBytes - head.length - body.length - '"rest":"",}'.length;
  return `${head}${body},"rest":"${'x'.repeat(Math.max(0, missing))}"}`;
}
