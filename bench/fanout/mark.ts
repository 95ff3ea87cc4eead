/**
 * What the producer writes into every event and the client finds again in the bytes of whatever frame
 * the event arrives in, without parsing it:
 *
 *     "mark":"000001234567890-0007-00000042"
 *             sentUs          volley n
 */
export interface Mark {
  /** When it was given to Kafka, by `nowUs`. */
  readonly sentUs: number;
  /** Which of the bench's volleys it belongs to: what is still under way of another one is told apart. */
  readonly volley: number;
  /** Its place among the events of the volley that the same subscriptions get, from 0. */
  readonly n: number;
}

const opening = Buffer.from('"mark":"');
const sentDigits = 15;
const volleyDigits = 4;
const nDigits = 8;
const volleyAt = sentDigits + 1;
const nAt = volleyAt + volleyDigits + 1;

/** Always as long, so that all messages of a run are. */
export function markText({ sentUs, volley, n }: Mark): string {
  return [
    String(Math.round(sentUs)).padStart(sentDigits, '0'),
    String(volley).padStart(volleyDigits, '0'),
    String(n).padStart(nDigits, '0'),
  ].join('-');
}

/** Where the next mark at or after `from` begins, to be given to the readers below; -1: there is none. */
export function findMark(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(opening, from);
  return at === -1 ? -1 : at + opening.length;
}

export function sentUsOf(bytes: Buffer, mark: number): number {
  return digits(bytes, mark, sentDigits);
}

export function volleyOf(bytes: Buffer, mark: number): number {
  return digits(bytes, mark + volleyAt, volleyDigits);
}

export function nOf(bytes: Buffer, mark: number): number {
  return digits(bytes, mark + nAt, nDigits);
}

/** The number that so many decimal digits make. */
export function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index += 1) {
    value = value * 10 + (bytes[index] ?? 0) - 48;
  }
  return value;
}
