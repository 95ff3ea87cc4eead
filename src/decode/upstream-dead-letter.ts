import type { RawRecord } from '../kafka/port.ts';
import { bridgeDeadLetter } from './dead-letter.ts';
import type { DeadLetter } from './event.ts';
import { sourceAt } from './json-source.ts';
import { valueAt } from './path.ts';
import { parseText, textOf } from './record-text.ts';

const eventPath = ['event'];
const errorPath = ['error'];

/**
 * Decodes a record of a dead-letter topic: a JSON object whose `event` is the original payload as one
 * string, which is never parsed, whatever it looks like, and whose `error` says what was wrong. If a
 * sender put another JSON value in their place, its own text stands for it. Any other record becomes
 * a dead letter itself (`BRIDGE`), with its whole text. Never throws.
 */
export function decodeUpstreamDeadLetter(partition: number, record: RawRecord): DeadLetter {
  const { value } = record;
  if (value === null) {
    const error = 'The record of the dead-letter topic is a tombstone: it has no value.';
    return bridgeDeadLetter(partition, record, '', error);
  }
  const text = textOf(value);
  if (text === undefined) {
    const error =
      'The record of the dead-letter topic is not valid UTF-8; what could not be read is shown as U+FFFD.';
    return bridgeDeadLetter(partition, record, value.toString('utf8'), error);
  }
  const parsed = parseText(text);
  if (parsed.kind === 'unparsable') {
    const error = `The record of the dead-letter topic is not valid JSON: ${parsed.reason}`;
    return bridgeDeadLetter(partition, record, text, error);
  }
  const { json, payload } = parsed;
  const event = stringOrSource(json, payload, eventPath);
  const error = stringOrSource(json, payload, errorPath);
  if (event === undefined || error === undefined) {
    const missing = event === undefined ? 'event' : 'error';
    return bridgeDeadLetter(
      partition,
      record,
      text,
      `The record of the dead-letter topic has no \`${missing}\`.`,
    );
  }
  return {
    kind: 'deadLetter',
    event,
    error,
    source: 'UPSTREAM',
    partition,
    offset: record.offset,
    recordedAtMs: record.timestampMs,
  };
}

function stringOrSource(
  json: string,
  payload: unknown,
  path: readonly string[],
): string | undefined {
  const value = valueAt(payload, path);
  return typeof value === 'string' ? value : sourceAt(json, path);
}
