import type { Event } from './event.ts';
import { parseText } from './record-text.ts';

/** All of an event but what its text says again. */
export type EventFields = Omit<Event, 'payload'>;

/**
 * An event that keeps its text only, and parses it again when somebody asks for the payload. Events wait
 * in ordering buffers by the ten thousands: their parsed payloads would be several times the size of
 * their texts, and the garbage collector would copy them over and over. Filters are who asks, all of
 * them together once.
 */
export class DecodedEvent implements Event {
  readonly kind = 'event';
  readonly id: string | null;
  readonly timestampUs: number;
  readonly timestamp: string | number | null;
  readonly timestampReadable: boolean;
  readonly sequence: number | bigint | null;
  readonly json: string;
  readonly partition: number;
  readonly offset: number;
  readonly recordedAtMs: number;
  #payload: unknown;

  constructor(fields: EventFields) {
    this.id = fields.id;
    this.timestampUs = fields.timestampUs;
    this.timestamp = fields.timestamp;
    this.timestampReadable = fields.timestampReadable;
    this.sequence = fields.sequence;
    this.json = fields.json;
    this.partition = fields.partition;
    this.offset = fields.offset;
    this.recordedAtMs = fields.recordedAtMs;
  }

  get payload(): unknown {
    this.#payload ??= payloadOf(this.json);
    return this.#payload;
  }
}

function payloadOf(json: string): unknown {
  const parsed = parseText(json);
  // Undecodable texts never become events.
  return parsed.kind === 'parsed' ? parsed.payload : undefined;
}
