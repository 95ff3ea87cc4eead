import { topicName } from '../decode/topic-name.ts';
import type { PrincipalKey } from './principal.ts';
import { forbidden } from './refusals.ts';

/**
 * Two names that stand for one Kafka topic are one topic here as well.
 *
 * @throws {MillraceError} `FORBIDDEN`: what was shown is limited to other topics.
 */
export function assertReadable(
  shown: 'key' | 'token',
  { topics }: Pick<PrincipalKey, 'topics'>,
  topic: string,
): void {
  if (topics === null) return;
  const wanted = topicName(topic);
  if (!topics.some((allowed) => topicName(allowed) === wanted)) {
    throw forbidden(`this ${shown} may not read topic ${topic}`);
  }
}
