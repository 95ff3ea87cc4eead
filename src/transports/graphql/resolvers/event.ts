import { MillraceError } from '../../../core/errors.ts';
import { sourceAt } from '../../../decode/json-source.ts';
import { parsePath, pathProblem } from '../../../decode/path.ts';
import { formatMilliseconds, formatTimestamp } from '../../../decode/timestamp.ts';
import type { EventResolvers } from '../../../generated/schema.ts';
import { JsonText } from '../json-text.ts';

export const eventResolvers: EventResolvers = {
  id: ({ event }) => event.id,
  topic: ({ topic }) => topic,
  timestamp: ({ event }) => formatTimestamp(event),
  sequence: ({ event }) => event.sequence,
  payload: ({ event }) => new JsonText(event.json),
  value: ({ event }, { property }) => {
    const problem = pathProblem(property);
    if (problem !== undefined) {
      throw new MillraceError('BAD_USER_INPUT', `property: ${problem}`, { argument: 'property' });
    }
    const text = sourceAt(event.json, parsePath(property));
    return text === undefined ? null : new JsonText(text);
  },
  partition: ({ event }) => event.partition,
  offset: ({ event }) => event.offset,
  recordedAt: ({ event }) => formatMilliseconds(event.recordedAtMs),
  late: ({ late }) => late,
  omitted: ({ omitted }) => omitted,
  cursor: ({ cursor }) => cursor,
};
