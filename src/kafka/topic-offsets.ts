import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from './backoff.ts';
import { KafkaError, type PartitionOffsets } from './port.ts';

/** By topic: its offsets, or why they cannot be told. */
export type TopicOffsets = Map<string, PartitionOffsets | KafkaError>;

/** How often offsets are asked for in vain, while leaders change, until that is the answer. */
const attempts = 3;

/**
 * Asks for the offsets of topics, and again for those that cannot be told because of a change of
 * leaders.
 *
 * @param ask one attempt; it looks anew for who leads
 */
export async function offsetsWithin(
  topics: readonly string[],
  ask: (topics: readonly string[]) => Promise<TopicOffsets>,
): Promise<TopicOffsets> {
  const answers: TopicOffsets = new Map();
  let open = topics;
  for (let attempt = 1; open.length > 0; attempt += 1) {
    for (const [topic, offsets] of await ask(open)) answers.set(topic, offsets);
    open = topics.filter((topic) => isUnavailable(answers.get(topic)));
    if (attempt === attempts) break;
    if (open.length > 0) await sleep(backoffMs(attempt));
  }
  return answers;
}

function isUnavailable(answer: PartitionOffsets | KafkaError | undefined): boolean {
  return answer instanceof KafkaError && answer.code === 'UNAVAILABLE';
}
