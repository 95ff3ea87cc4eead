import {
  KafkaError,
  type OffsetPoint,
  type PartitionOffsets,
  type TopicDescription,
} from '../port.ts';
import { noLeader, partitionError } from '../topic-errors.ts';
import { offsetsWithin, type TopicOffsets } from '../topic-offsets.ts';
import { isolation, type IsolationLevel } from '../wire/isolation.ts';
import type { Cluster } from './cluster.ts';
import { toKafkaError } from './errors.ts';
import { topicsIn } from './metadata.ts';
import type { WireAnswer, WireRequest } from './private-api.ts';
import { privateApi } from './private-api.ts';

/** A partition and who to ask about it. */
interface AskedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
}

interface FoundOffset {
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
const earliest = -2;
const latest = -1;
/** What a broker answers when no record is as late as the time asked for. */
const noSuchOffset = -1;

type Asked = Pick<Cluster, 'describe' | 'ask'>;

/** Of all partitions of each topic, or why one of them cannot be told. @throws {KafkaError} */
export function listOffsets(
  cluster: Asked,
  topics: readonly string[],
  at: OffsetPoint,
): Promise<TopicOffsets> {
  return offsetsWithin(topics, (open) => listOffsetsOnce(cluster, open, at));
}

async function listOffsetsOnce(
  cluster: Asked,
  topics: readonly string[],
  at: OffsetPoint,
): Promise<TopicOffsets> {
  const answers = topicsIn(await cluster.describe(topics), topics);
  const led: AskedPartition[] = [];
  for (const [topic, answer] of answers) {
    if (answer instanceof KafkaError) continue;
    for (const { id, leader } of answer.partitions) {
      if (leader !== null) led.push({ topic, partition: id, leader });
    }
  }
  const found = Map.groupBy(await findOffsets(cluster, led, at), ({ topic }) => topic);
  return new Map(
    Array.from(answers, ([topic, answer]) => [
      topic,
      answer instanceof KafkaError ? answer : offsetsOf(answer, found.get(topic) ?? []),
    ]),
  );
}

function offsetsOf(
  topic: TopicDescription,
  found: readonly FoundOffset[],
): PartitionOffsets | KafkaError {
  const leaderless = topic.partitions.filter(({ leader }) => leader === null);
  if (leaderless.length > 0) {
    return noLeader(
      topic.name,
      leaderless.map(({ id }) => id),
    );
  }
  const offsets = new Map<number, number>();
  for (const { partition, offset } of found) {
    if (offset instanceof KafkaError) return offset;
    offsets.set(partition, offset);
  }
  return offsets;
}

/** One request for each leader. Rejects never: what cannot be found out is an error in its place. */
export async function findOffsets(
  cluster: Pick<Cluster, 'ask'>,
  partitions: readonly AskedPartition[],
  at: OffsetPoint,
  upTo: IsolationLevel = isolation.readCommitted,
): Promise<FoundOffset[]> {
  if (at === 'earliest') return ask(cluster, partitions, earliest, upTo);
  // The end first: a record that comes between the two questions must not be passed over.
  const ends = await ask(cluster, partitions, latest, upTo);
  if (at === 'latest') return ends;
  const endOf = new Map(ends.map((end) => [keyOf(end), end]));
  const found = await ask(cluster, partitions, Math.ceil(at.timestampMs), upTo);
  return found.map((one) => (one.offset === noSuchOffset ? (endOf.get(keyOf(one)) ?? one) : one));
}

async function ask(
  cluster: Pick<Cluster, 'ask'>,
  partitions: readonly AskedPartition[],
  timestamp: number,
  upTo: IsolationLevel,
): Promise<FoundOffset[]> {
  const byLeader = Map.groupBy(partitions, ({ leader }) => leader);
  const answers = await Promise.all(
    Array.from(byLeader, async ([leader, led]): Promise<FoundOffset[]> => {
      try {
        const { responses } = await cluster.ask(leader, () => request(led, timestamp, upTo));
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
  const offset = partitionError(topic, one.errorCode) ?? Number(one.offset);
  return { topic, partition: one.partition, offset };
}

/** kafkajs' own `parse` is left out: it refuses all for the error of one partition. */
function request(
  partitions: readonly AskedPartition[],
  timestamp: number,
  isolationLevel: IsolationLevel,
): WireRequest<ListOffsetsAnswer> {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  const { request, response } = privateApi().requests.ListOffsets.protocol({
    version,
  })<ListOffsetsAnswer>({
    isolationLevel,
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
