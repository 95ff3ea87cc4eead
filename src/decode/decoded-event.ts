import type { Event } from './event.ts';
import { parsedPayloads } from './parsed-payloads.ts';
import { parseText } from './record-text.ts';

/** All of an event but what its text says again. */
export type EventFields = Omit<Event, 'payload'>;

/**
 * An event that keeps its text only, and parses it again when somebody asks for the payload. Events wait
 * in ordering buffers by the ten thousands: their parsed payloads would be several times the size of
 * their texts, and the garbage collector would copy them over and over. Filters are who asks, all of
 * them together: the payload is kept for a while only. The timestamp is taken out of the text when it is
 * asked for, too.
 */
export class DecodedEvent implements Event {
  readonly kind = 'event';
  readonly id: string | null;
  readonly timestampUs: number;
  readonly timestampReadable: boolean;
  readonly sequence: number | bigint | null;
  readonly json: string;
  readonly partition: number;
  readonly offset: number;
  readonly recordedAtMs: number;
  readonly #timestampAt: number;
  #timestamp: string | number | null;
  #payload: unknown;

  /**
   * @param timestampAt where the timestamp stands in the text as it is, with a quote behind it; -1: nowhere, it is in
   *   the fields
   */
  constructor(fields: EventFields, timestampAt = -1) {
    this.id = fields.id;
    this.timestampUs = fields.timestampUs;
    this.timestampReadable = fields.timestampReadable;
    this.sequence = fields.sequence;
    this.json = fields.json;
    this.partition = fields.partition;
    this.offset = fields.offset;
    this.recordedAtMs = fields.recordedAtMs;
    this.#timestampAt = timestampAt;
    this.#timestamp = fields.timestamp;
  }

  get timestamp(): string | number | null {
    if (this.#timestampAt >= 0) this.#timestamp ??= upToQuote(this.json, this.#timestampAt);
    return this.#timestamp;
  }

  get payload(): unknown {
    if (this.#payload === undefined) {
      this.#payload = payloadOf(this.json);
      parsedPayloads.add(this);
    }
    return this.#payload;
  }

  /** It is parsed again when it is asked for again. */
  forgetPayload(): void {
    this.#payload = undefined;
  }
}

function upToQuote(json: string, start: number): string {
  return json.slice(start, json.indexOf('"', start));
}

function payloadOf(json: string): unknown {
  const parsed = parseText(json);
  // Undecodable texts never become events.
  return parsed.kind === 'parsed' ? parsed.payload : undefined;
}
