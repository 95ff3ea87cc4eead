import type { LostRange } from '../../core/errors.ts';
import { KafkaError } from '../port.ts';
import { lostRange } from '../topic-errors.ts';
import type { Brokers, LedPartition } from './brokers.ts';
import type { Partition } from './partition.ts';

/**
 * What of the topic lies outside of the log, as far as its leaders can be asked. Nothing may be read
 * meanwhile: positions must stand still.
 *
 * @throws {KafkaError} if one of them does not answer
 */
export async function findLostRanges(
  brokers: Brokers,
  topic: string,
  partitions: Iterable<Partition>,
): Promise<LostRange[]> {
  const positions = new Map<number, number>();
  const led: LedPartition[] = [];
  for (const { id, position, leader, leaderEpoch } of partitions) {
    if (leader === null) continue;
    led.push({ id, leader, leaderEpoch });
    positions.set(id, position);
  }
  const [starts, ends] = await Promise.all([
    brokers.logBounds(topic, led, 'earliest'),
    brokers.logBounds(topic, led, 'latest'),
  ]);
  const ranges: LostRange[] = [];
  for (const [id, position] of positions) {
    const bounds = { start: known(starts.get(id)), end: known(ends.get(id)) };
    const lost = lostRange(id, position, bounds);
    if (lost) ranges.push(lost);
  }
  return ranges;
}

function known(offset: number | KafkaError | undefined): number {
  if (typeof offset === 'number') return offset;
  throw offset ?? new KafkaError('UNAVAILABLE', 'a leader left a partition out of its answer');
}
