import type { RawRecord } from '../kafka/port.ts';
import type { DeadLetter } from './event.ts';

/** A dead letter that is made here, of a record that cannot be decoded. `error`: a whole sentence. */
export function bridgeDeadLetter(
  partition: number,
  record: RawRecord,
  event: string,
  error: string,
): DeadLetter {
  return {
    kind: 'deadLetter',
    event,
    error,
    source: 'BRIDGE',
    partition,
    offset: record.offset,
    recordedAtMs: record.timestampMs,
  };
}
