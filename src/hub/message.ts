import type { DeadLetter, Event } from '../decode/event.ts';
import type { StreamPosition } from './cursor/stream-position.ts';

/** Makes the cursor of a position; always the same one for a message. */
export type EncodeCursor = (position: StreamPosition) => string;

/**
 * What goes to subscribers: one object for all of them, with what is made of it for each way of writing it.
 * So the work of a message is done once, and is forgotten with it.
 */
export abstract class Message {
  /** Where the stream stands when this has been sent. */
  readonly position: StreamPosition;
  protected readonly encode: EncodeCursor;
  #made: Map<object, Buffer> | undefined;
  #madeBytes = 0;
  #cursor: string | undefined;

  constructor(position: StreamPosition, encode: EncodeCursor) {
    this.position = position;
    this.encode = encode;
  }

  /** The length of its text in characters: about what it takes to hold and to send it. */
  abstract readonly size: number;

  /** The broker's times of what it holds, in milliseconds since 1970. */
  get recordedAtMs(): readonly number[] {
    return [];
  }

  /** What continues exactly after it. Made when it is first asked for. */
  get cursor(): string {
    this.#cursor ??= this.encode(this.position);
    return this.#cursor;
  }

  /** Length of all that was made of it. */
  get madeBytes(): number {
    return this.#madeBytes;
  }

  /** What `make` answers; it is called once for each `key`. */
  once(key: object, make: () => Buffer): Buffer {
    this.#made ??= new Map();
    let made = this.#made.get(key);
    if (made === undefined) {
      made = make();
      this.#made.set(key, made);
      this.#madeBytes += made.length;
    }
    return made;
  }
}

/** The place of a message in its stream. */
export interface MessagePlace {
  readonly position: StreamPosition;
  readonly encode: EncodeCursor;
}

/** An event as one stream delivers it: lateness depends on the order, so it is not the event's own. */
export class EventMessage extends Message {
  /** The name that the subscribers know the topic by. */
  readonly topic: string;
  readonly event: Event;
  readonly late: boolean;
  /** Events that are left out since the message before, as it is wanted so. */
  readonly omitted: number;

  constructor(
    topic: string,
    event: Event,
    late: boolean,
    { position, encode }: MessagePlace,
    omitted = 0,
  ) {
    super(position, encode);
    this.topic = topic;
    this.event = event;
    this.late = late;
    this.omitted = omitted;
  }

  /** The same event, delivered in place of others. @param position where the last of them stood */
  standingFor(omitted: number, position: StreamPosition): EventMessage {
    const { topic, event, late, encode } = this;
    return new EventMessage(topic, event, late, { position, encode }, omitted);
  }

  get size(): number {
    return this.event.json.length;
  }

  override get recordedAtMs(): readonly number[] {
    return [this.event.recordedAtMs];
  }
}

/** Events that are delivered together, in their order. Without any it tells how far the stream has come. */
export class EventBatch extends Message {
  readonly events: readonly EventMessage[];
  /**
   * Every event in time that is still to come has an own time at or after this, in milliseconds since
   * 1970; `null`: nothing is known yet, or the order is not by time.
   */
  readonly watermarkMs: number | null;
  readonly size: number;

  constructor(
    events: readonly EventMessage[],
    watermarkMs: number | null,
    { position, encode }: MessagePlace,
  ) {
    super(position, encode);
    this.events = events;
    this.watermarkMs = watermarkMs;
    this.size = events.reduce((sum, { size }) => sum + size, 0);
  }

  override get recordedAtMs(): readonly number[] {
    return this.events.map(({ event }) => event.recordedAtMs);
  }
}

export class DeadLetterMessage extends Message {
  readonly topic: string;
  readonly deadLetter: DeadLetter;

  constructor(topic: string, deadLetter: DeadLetter, { position, encode }: MessagePlace) {
    super(position, encode);
    this.topic = topic;
    this.deadLetter = deadLetter;
  }

  get size(): number {
    return this.deadLetter.event.length + this.deadLetter.error.length;
  }

  override get recordedAtMs(): readonly number[] {
    return [this.deadLetter.recordedAtMs];
  }
}
