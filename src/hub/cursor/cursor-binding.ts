import type { EventOrder } from '../../sequence/order.ts';
import type { TopicSettings } from '../topic-settings.ts';

/**
 * What a cursor is of. It is refused for anything else. Filters are not part of it: they come after
 * the order, so they may change between two connections.
 */
export interface CursorBinding {
  readonly projectId: string;
  readonly kafkaTopic: string;
  readonly stream: BoundEvents | BoundDeadLetters;
}

export interface BoundEvents {
  readonly kind: 'events';
  readonly order: EventOrder;
  readonly deduplicate: boolean;
  readonly settings: Pick<
    TopicSettings,
    'id' | 'timestamp' | 'sequence' | 'latenessMs' | 'maxAdvanceMs'
  >;
}

export interface BoundDeadLetters {
  readonly kind: 'deadLetters';
  readonly deadLetterTopic: string;
}
