import type { Event } from '../../src/decode/event.ts';

/** A decoded event with as little said about it as a test needs. Times in milliseconds. */
export interface EventSketch {
  readonly id?: string | null;
  readonly partition?: number;
  readonly offset: number;
  /** Broker's time. */
  readonly at: number;
  /** The event's own time. @default at */
  readonly t?: number;
  readonly readable?: boolean;
  readonly sequence?: number | bigint | null;
  readonly json?: string;
}

export function sketched(sketch: EventSketch): Event {
  const ownMs = sketch.t ?? sketch.at;
  return {
    kind: 'event',
    id: sketch.id ?? null,
    timestampUs: ownMs * 1000,
    timestamp: sketch.t ?? null,
    timestampReadable: sketch.readable ?? true,
    sequence: sketch.sequence ?? null,
    json: sketch.json ?? '{}',
    payload: {},
    partition: sketch.partition ?? 0,
    offset: sketch.offset,
    recordedAtMs: sketch.at,
  };
}
