import { topicName } from '../decode/topic-name.ts';
import type { PrincipalKey } from './principal.ts';
import { forbidden } from './refusals.ts';

/**
 * Two names that stand for one Kafka topic are one topic here as well.
 *
 * @throws {MillraceError} `FORBIDDEN`: the key is limited to other topics.
 */
export function assertReadable({ topics }: Pick<PrincipalKey, 'topics'>, topic: string): void {
  if (topics === null) return;
  const wanted = topicName(topic);
  if (!topics.some((allowed) => topicName(allowed) === wanted)) {
    throw forbidden(`this key may not read topic ${topic}`);
  }
}
