import type { RawRecord } from '../kafka/port.ts';
import { bridgeDeadLetter } from './dead-letter.ts';
import { DecodedEvent } from './decoded-event.ts';
import type { DeadLetter, Event } from './event.ts';
import { exactInteger } from './integer.ts';
import { isNestedDeeperThan, sourceAt } from './json-source.ts';
import { parsePath, type Path, valueAt } from './path.ts';
import { parseText, textOf } from './record-text.ts';
import { parseTimestamp } from './timestamp.ts';

/** Where a topic's events keep what the stream needs of them: dotted paths, see `parsePath`. */
export interface EventPaths {
  /** A string, or a number. */
  readonly id: string;
  /** What `parseTimestamp` reads. */
  readonly timestamp: string;
  /** An integer, as a number or a string of digits. */
  readonly sequence: string;
}

/** Never throws: what is no event is a dead letter, so that one bad record stops nothing. */
export type Decoder = (partition: number, record: RawRecord) => Event | DeadLetter;

/**
 * Arrays and objects nested deeper than this make a dead letter: whoever walks the payload, here or
 * in a browser, may do so recursively.
 */
const maxDepth = 1_000;

/**
 * Makes the decoder of a topic. Any JSON value but `null` is an event, also one without id, timestamp
 * or sequence. A dead letter: a tombstone, an empty record, invalid UTF-8, invalid JSON, the value
 * `null`, more than 1,000 levels of nesting.
 *
 * It copies what it keeps: the record's buffer may be reused afterwards.
 */
export function createDecoder(paths: EventPaths): Decoder {
  const idPath = parsePath(paths.id);
  const timestampPath = parsePath(paths.timestamp);
  const sequencePath = parsePath(paths.sequence);

  return function decode(partition, record) {
    const { value } = record;
    if (value === null) {
      return bridgeDeadLetter(partition, record, '', 'The record is a tombstone: it has no value.');
    }
    if (value.length === 0) {
      return bridgeDeadLetter(partition, record, '', 'The record is empty.');
    }
    const text = textOf(value);
    if (text === undefined) {
      const error = 'The record is not valid UTF-8; what could not be read is shown as U+FFFD.';
      return bridgeDeadLetter(partition, record, value.toString('utf8'), error);
    }
    if (isNestedDeeperThan(text, maxDepth)) {
      const error = `The record is nested deeper than ${maxDepth} levels.`;
      return bridgeDeadLetter(partition, record, text, error);
    }
    const parsed = parseText(text);
    if (parsed.kind === 'unparsable') {
      const error = `The record is not valid JSON: ${parsed.reason}`;
      return bridgeDeadLetter(partition, record, text, error);
    }
    const { json, payload } = parsed;
    if (payload === null) {
      return bridgeDeadLetter(partition, record, text, 'The record is `null`, which is no event.');
    }

    const timestamp = valueAt(payload, timestampPath);
    const timestampUs = parseTimestamp(timestamp);
    return new DecodedEvent({
      kind: 'event',
      id: idOf(json, idPath, valueAt(payload, idPath)),
      timestampUs: timestampUs ?? record.timestampMs * 1_000,
      timestamp: typeof timestamp === 'string' || typeof timestamp === 'number' ? timestamp : null,
      timestampReadable: timestampUs !== undefined || timestamp === undefined || timestamp === null,
      sequence: sequenceOf(json, sequencePath, valueAt(payload, sequencePath)),
      json,
      partition,
      offset: record.offset,
      recordedAtMs: record.timestampMs,
    });
  };
}

function idOf(json: string, path: Path, value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  if (typeof value !== 'number') return null;
  // Other numbers can have lost digits, by which alone two ids may differ.
  return Number.isSafeInteger(value) ? String(value) : (sourceAt(json, path) ?? null);
}

function sequenceOf(json: string, path: Path, value: unknown): number | bigint | null {
  if (typeof value === 'number') {
    // Plus 0: never minus zero.
    if (Number.isSafeInteger(value)) return value + 0;
    return exactInteger(sourceAt(json, path) ?? '');
  }
  return typeof value === 'string' && /^-?\d{1,100}$/.test(value) ? exactInteger(value) : null;
}
