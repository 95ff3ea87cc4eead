import type { KafkaError, OffsetPoint } from '../port.ts';
import type { Cluster } from './cluster.ts';
import { errorCode, toKafkaError, topicError } from './errors.ts';
import type { WireAnswer, WireRequest } from './private-api.ts';
import { privateApi } from './private-api.ts';

/** A partition and who to ask about it. */
export interface LedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
}

export interface FoundOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | KafkaError;
}

interface ListOffsetsAnswer extends WireAnswer {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly offset: string;
    }[];
  }[];
}

const version = 3;
const readCommitted = 1;
const earliest = -2;
const latest = -1;
/** What a broker answers when no record is as late as the time asked for. */
const noSuchOffset = -1;

/** One request for each leader. Rejects never: what cannot be found out is an error in its place. */
export async function findOffsets(
  cluster: Cluster,
  partitions: readonly LedPartition[],
  at: OffsetPoint,
): Promise<FoundOffset[]> {
  const timestamp = at === 'earliest' ? earliest : at === 'latest' ? latest : at.timestampMs;
  const found = await ask(cluster, partitions, timestamp);
  const pastEnd = new Set(found.filter(({ offset }) => offset === noSuchOffset).map(keyOf));
  if (pastEnd.size === 0) return found;
  const ends = await ask(
    cluster,
    partitions.filter((partition) => pastEnd.has(keyOf(partition))),
    latest,
  );
  return [...found.filter((one) => !pastEnd.has(keyOf(one))), ...ends];
}

async function ask(
  cluster: Cluster,
  partitions: readonly LedPartition[],
  timestamp: number,
): Promise<FoundOffset[]> {
  const byLeader = Map.groupBy(partitions, ({ leader }) => leader);
  const answers = await Promise.all(
    Array.from(byLeader, async ([leader, led]): Promise<FoundOffset[]> => {
      try {
        const { responses } = await cluster.ask(leader, () => request(led, timestamp));
        return responses.flatMap((response) =>
          response.partitions.map((one) => found(response.topic, one)),
        );
      } catch (error) {
        const offset = toKafkaError(error);
        return led.map(({ topic, partition }) => ({ topic, partition, offset }));
      }
    }),
  );
  return answers.flat();
}

function found(
  topic: string,
  one: ListOffsetsAnswer['responses'][number]['partitions'][number],
): FoundOffset {
  const offset =
    one.errorCode === errorCode.none ? Number(one.offset) : topicError(topic, one.errorCode);
  return { topic, partition: one.partition, offset };
}

/** kafkajs' own `parse` is left out: it refuses all for the error of one partition. */
function request(
  partitions: readonly LedPartition[],
  timestamp: number,
): WireRequest<ListOffsetsAnswer> {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  const { request, response } = privateApi().requests.ListOffsets.protocol({
    version,
  })<ListOffsetsAnswer>({
    isolationLevel: readCommitted,
    topics: Array.from(byTopic, ([topic, ofTopic]) => ({
      topic,
      partitions: ofTopic.map(({ partition }) => ({ partition, timestamp })),
    })),
  });
  return { request, response: { decode: response.decode, parse: async (answer) => answer } };
}

function keyOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${partition} ${topic}`;
}
