import { formatMilliseconds } from '../../../decode/timestamp.ts';
import type { DeadLetterResolvers } from '../../../generated/schema.ts';

export const deadLetterResolvers: DeadLetterResolvers = {
  event: ({ deadLetter }) => deadLetter.event,
  error: ({ deadLetter }) => deadLetter.error,
  source: ({ deadLetter }) => deadLetter.source,
  topic: ({ topic }) => topic,
  partition: ({ deadLetter }) => deadLetter.partition,
  offset: ({ deadLetter }) => deadLetter.offset,
  recordedAt: ({ deadLetter }) => formatMilliseconds(deadLetter.recordedAtMs),
  cursor: ({ cursor }) => cursor,
};
