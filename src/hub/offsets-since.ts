import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
import { backoffMs } from '../kafka/backoff.ts';
import { KafkaError, type PartitionOffsets } from '../kafka/port.ts';
import type { ClientPool } from './client-pool.ts';
import type { FeedSource } from './feed-registry.ts';
import type { RefusalOf } from './kafka-refusal.ts';
import { pauseFor } from './pause.ts';

export interface SinceOptions {
  readonly clients: ClientPool;
  readonly clock: Clock;
  readonly refusalOf: RefusalOf;
}

/**
 * The offsets of the first records at or after an instant, by the broker's time. While the cluster cannot be
 * reached it is asked again; undefined: until nobody is interested any more.
 */
export async function offsetsSince(
  principal: Principal,
  { topic, kafkaTopic, whenMissing }: FeedSource,
  { timestampMs, over }: { readonly timestampMs: number; readonly over: AbortSignal },
  { clients, clock, refusalOf }: SinceOptions,
): Promise<PartitionOffsets | undefined> {
  const lease = clients.lease(principal);
  try {
    for (let failures = 1; !over.aborted; failures += 1) {
      try {
        const found = await lease.client.listOffsets([kafkaTopic], { timestampMs });
        const answer = found.get(kafkaTopic);
        if (answer === undefined) return new Map();
        if (answer instanceof KafkaError) throw answer;
        return answer;
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error;
        if (error.code === 'TOPIC_NOT_FOUND' && whenMissing === 'wait') return new Map();
        if (error.code !== 'UNAVAILABLE') throw refusalOf(error, topic);
        await pauseFor(clock, backoffMs(failures), over);
      }
    }
    return undefined;
  } finally {
    lease.release();
  }
}
