import type { Event } from '../../src/decode/event.ts';
import { isBelow, type StreamPosition } from '../../src/hub/cursor/stream-position.ts';
import type { EventOrder } from '../../src/sequence/order.ts';
import { compareOrderKeys, clampTimeUs, type OrderKey } from '../../src/sequence/order-key.ts';
import { endOf, type Log, latenessMs, maxAdvanceMs } from './random-log.ts';

/**
 * The position that a stream would have now that had always been there, had it read everything and released up
 * to an event: where a stream begins anew.
 *
 * @param upTo its key, or one with its time or number, becomes K
 */
export function stateAt(log: Log, order: EventOrder, nowMs: number, upTo: Event): StreamPosition {
  const next = log.partitions.map((_, partition) => endOf(log, partition, nowMs));
  const key = greatestKeyOf(upTo, order);
  const lowest = next.map((end, partition) => {
    const held = log.partitions[partition]?.findIndex(
      (record) => record !== null && !isEmitted(record.event, order, { key, next }),
    );
    return held === undefined || held < 0 ? end : Math.min(end, held);
  });
  return { key, next, lowest };
}

/** Whether a record alone makes its event emitted at K and R. */
export function isEmitted(
  event: Event,
  order: EventOrder,
  { key, next }: Pick<StreamPosition, 'key' | 'next'>,
): boolean {
  if (!isBelow(next, event.partition, event.offset)) return false;
  const own = greatestKeyOf(event, order);
  return own === null || (key !== null && compareOrderKeys(own, key) <= 0);
}

/** The event's key but for its id and place in the log: the greatest with its time or number. */
function greatestKeyOf(event: Event, order: EventOrder): OrderKey | null {
  const rest = { id: [-1, -1, -1, -1], partition: 0, offset: 0 } as const;
  const { recordedAtMs, timestampUs, sequence } = event;
  switch (order) {
    case 'ARRIVAL':
      return null;
    case 'SEQUENCE':
      return sequence === null ? null : { time: 0, value: sequence, ...rest };
    case 'TIMESTAMP': {
      const time = clampTimeUs(timestampUs, recordedAtMs, latenessMs, maxAdvanceMs);
      return { time, value: timestampUs, ...rest };
    }
  }
}
