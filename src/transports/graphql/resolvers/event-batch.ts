import { formatMilliseconds } from '../../../decode/timestamp.ts';
import type { EventBatchResolvers } from '../../../generated/schema.ts';

export const eventBatchResolvers: EventBatchResolvers = {
  events: ({ events }) => events,
  cursor: ({ cursor }) => cursor,
  watermark: ({ watermarkMs }) => (watermarkMs === null ? null : formatMilliseconds(watermarkMs)),
};
