/** A decoded record: what subscribers get. Immutable, shared by all of them. */
export interface Event {
  readonly kind: 'event';
  /** Opaque, as the sender wrote it (a number is kept as its digits); `null`: no id, never a duplicate. */
  readonly id: string | null;
  /**
   * The event's own time, in whole microseconds since 1970, rounded down; the broker's time where the
   * event has none or one that cannot be read.
   */
  readonly timestampUs: number;
  /** The event's own time as it came: text, or milliseconds since 1970; `null`: it has none. */
  readonly timestamp: string | number | null;
  /** False: there was something at the timestamp's path that is no time. */
  readonly timestampReadable: boolean;
  /** `null`: the event has none, or it is no integer. A bigint only beyond 2^53. */
  readonly sequence: number | bigint | null;
  /** The record's own text, byte for byte: valid JSON, never re-serialised. */
  readonly json: string;
  /** `json`, parsed when first asked for. Integers beyond 2^53 have lost digits here and only here. */
  readonly payload: unknown;
  readonly partition: number;
  readonly offset: number;
  /** The broker's time, in milliseconds since 1970. */
  readonly recordedAtMs: number;
}

/** From a dead-letter topic (`UPSTREAM`), or a record that could not be decoded (`BRIDGE`). */
export interface DeadLetter {
  readonly kind: 'deadLetter';
  /** The original payload, verbatim; never parsed. */
  readonly event: string;
  /** What was wrong with it. */
  readonly error: string;
  readonly source: 'UPSTREAM' | 'BRIDGE';
  readonly partition: number;
  readonly offset: number;
  /** Of one that stands for several records: the last of their offsets. @default that of its own */
  readonly lastOffset?: number;
  readonly recordedAtMs: number;
}
