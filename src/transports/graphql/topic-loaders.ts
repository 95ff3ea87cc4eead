import DataLoader from 'dataloader';
import type { ClientLease } from '../../hub/client-pool.ts';
import type { RefusalOf } from '../../hub/kafka-refusal.ts';
import {
  KafkaError,
  type OffsetPoint,
  type PartitionOffsets,
  type TopicDescription,
} from '../../kafka/port.ts';

/** What an operation asks of the cluster about Kafka topics; null: there is none that the login may see. */
export interface TopicLoaders {
  readonly description: DataLoader<string, TopicDescription | null>;
  readonly earliest: DataLoader<string, PartitionOffsets | null>;
  readonly latest: DataLoader<string, PartitionOffsets | null>;
}

/**
 * Loaders for one operation: however many topics it asks about, the cluster gets one metadata
 * request and one offsets request for each broker. `lease` is called when something is asked first;
 * the lease lasts for the request.
 */
export function createTopicLoaders(lease: () => ClientLease, refusalOf: RefusalOf): TopicLoaders {
  const ask = async <Answer>(
    names: readonly string[],
    request: (lease: ClientLease) => Promise<Map<string, Answer | KafkaError>>,
  ): Promise<(Answer | Error | null)[]> => {
    const held = lease();
    try {
      const answers = await request(held);
      return names.map((name) => answerFor(name, answers, refusalOf));
    } catch (error) {
      if (error instanceof KafkaError) throw refusalOf(error, names.join(', '));
      throw error;
    } finally {
      held.release();
    }
  };
  const offsets = (at: OffsetPoint): DataLoader<string, PartitionOffsets | null> =>
    new DataLoader((names) => ask(names, ({ client }) => client.listOffsets(names, at)));
  return {
    description: new DataLoader((names) =>
      ask(names, ({ client }) => client.describeTopics(names)),
    ),
    earliest: offsets('earliest'),
    latest: offsets('latest'),
  };
}

function answerFor<Answer>(
  name: string,
  answers: Map<string, Answer | KafkaError>,
  refusalOf: RefusalOf,
): Answer | Error | null {
  const answer = answers.get(name);
  if (answer === undefined) return null;
  if (!(answer instanceof KafkaError)) return answer;
  if (answer.code === 'TOPIC_NOT_FOUND' || answer.code === 'NOT_AUTHORIZED') return null;
  return refusalOf(answer, name);
}
