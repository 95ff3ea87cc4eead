/** A record that the demo writes, and what it is about. */
export type DemoRecord = {
  /** Kafka's name. */
  readonly topic: string;
  readonly partition: number;
  /** When it is recorded, in milliseconds since 1970. */
  readonly timestampMs: number;
  readonly value: string;
} & DemoContent;

export type DemoContent =
  /** `copy`: 0 for the first record of an event, 1 for its duplicate. */
  | { readonly kind: 'event'; readonly event: DemoEvent; readonly copy: number }
  /** In the topic of the events, but no JSON: Millrace makes a dead letter of it (`BRIDGE`). */
  | { readonly kind: 'unparsable' }
  /** In the dead-letter topic (`UPSTREAM`). */
  | { readonly kind: 'deadLetter'; readonly event: string; readonly error: string };

/** What a subscriber is to see of one event. */
export interface DemoEvent {
  readonly id: string;
  /** By the events' own time, without gaps. */
  readonly sequence: number;
  /** The event's own time as it is written. */
  readonly timestamp: string;
  /** The same, in microseconds since 1970. */
  readonly timestampUs: number;
  /** Recorded a while after its own time, but within the lateness. */
  readonly delayed: boolean;
  /** Recorded after its own time by more than the lateness: delivered, flagged late. */
  readonly late: boolean;
}

/** Records in the order in which they are to be recorded. */
export interface RecordPlan {
  /** When the next one is recorded, in milliseconds since 1970; Infinity: there is none. */
  readonly nextMs: number;
  /** Takes it. @throws RangeError if there is none */
  next(): DemoRecord;
  /** Leaves out what would come before that time: a few numbers are missing then. */
  skipTo(timestampMs: number): void;
}
