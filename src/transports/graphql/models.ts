import type { TopicName } from '../../hub/topics.ts';
import type { DeadLetterMessage, EventBatch, EventMessage } from '../../hub/message.ts';

/** What the resolvers of `Event` start from. */
export type EventModel = EventMessage;

/** What the resolvers of `EventBatch` start from. */
export type EventBatchModel = EventBatch;

/** What the resolvers of `DeadLetter` start from. */
export type DeadLetterModel = DeadLetterMessage;

/** What the resolvers of `Topic` start from: a topic that is known to exist. */
export type TopicModel = TopicName;
