import type { Event } from './event.ts';
import { parseText } from './record-text.ts';

/** All of an event but what its record says again. */
export type EventFields = Omit<Event, 'kind' | 'json' | 'size' | 'payload'>;

/**
 * An event that keeps its record's bytes, and makes text and payload of them when somebody asks.
 *
 * Events wait in ordering buffers by the ten thousands. As text they would be most of the garbage
 * collector's work: it copies what survives, and again, while the bytes of an answer lie outside of its
 * heap. The answer stays in memory as long as one of its events waits; the others do not wait much
 * shorter. Once the text has been made, the bytes are let go.
 */
export class DecodedEvent implements Event {
  readonly kind = 'event';
  readonly id: string | null;
  readonly timestampUs: number;
  readonly timestamp: string | number | null;
  readonly timestampReadable: boolean;
  readonly sequence: number | bigint | null;
  readonly size: number;
  readonly partition: number;
  readonly offset: number;
  readonly recordedAtMs: number;
  /** Bytes, until the text has been made of them. */
  #text: Buffer | string;
  #payload: unknown;

  /** @param bytes valid UTF-8 and valid JSON */
  constructor(fields: EventFields, bytes: Buffer) {
    this.id = fields.id;
    this.timestampUs = fields.timestampUs;
    this.timestamp = fields.timestamp;
    this.timestampReadable = fields.timestampReadable;
    this.sequence = fields.sequence;
    this.size = bytes.length;
    this.partition = fields.partition;
    this.offset = fields.offset;
    this.recordedAtMs = fields.recordedAtMs;
    this.#text = bytes;
  }

  get json(): string {
    if (typeof this.#text !== 'string') this.#text = this.#text.toString('utf8');
    return this.#text;
  }

  get payload(): unknown {
    this.#payload ??= payloadOf(this.json);
    return this.#payload;
  }
}

function payloadOf(json: string): unknown {
  const parsed = parseText(json);
  // What is no JSON never becomes an event.
  return parsed.kind === 'parsed' ? parsed.payload : undefined;
}
