/** A record as it is sent. */
export interface EventRecord {
  readonly partition: number;
  readonly value: string;
  /** The broker's time, in milliseconds since 1970. @default now */
  readonly timestampMs?: number;
}

export interface EventSketch {
  readonly id: string;
  readonly partition?: number;
  /** How far its own time lies in the past. @default 0 */
  readonly agoMs?: number;
  readonly sequence?: number;
  /** Further properties. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** An event as an analytics service records it. */
export function eventRecord(sketch: EventSketch, nowMs = Date.now()): EventRecord {
  const { id, partition = 0, agoMs = 0, sequence, more } = sketch;
  const timestamp = new Date(nowMs - agoMs).toISOString();
  const value = JSON.stringify({ keen: { id, timestamp }, sequence_number: sequence, ...more });
  return { partition, value, timestampMs: nowMs };
}
