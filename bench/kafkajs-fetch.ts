import kafkajs from 'kafkajs';

/*
 * Reading as kafkajs reads by itself: `broker.fetch()`, answers decoded by the library, no consumer group (which would
 * take twice as long). The peer that `pipeline.ts` measures against.
 */

export interface LibraryRead {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  /** Reading ends when so many records were given. */
  readonly count: number;
  readonly take: (records: readonly LibraryRecord[]) => void;
}

export interface LibraryRecord {
  readonly offset: string;
  readonly value: Buffer | null;
}

interface Answer {
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly partition: number;
      readonly messages: readonly LibraryRecord[];
    }[];
  }[];
}

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  findControllerBroker(): Promise<{ fetch(request: object): Promise<Answer> }>;
}

/** What its consumer asks for unless it is told otherwise. */
const maxBytes = 10_485_760;
const maxBytesPerPartition = 1_048_576;

/** From the beginning, with one node that leads all partitions. The next answer is under way while one is taken. */
export async function readByKafkajs(options: LibraryRead): Promise<void> {
  const { topic, partitions, count, take } = options;
  const cluster = clusterOf(options.brokers);
  await cluster.connect();
  await cluster.addTargetTopic(topic);
  const broker = await cluster.findControllerBroker();
  const next = Array.from({ length: partitions }, () => 0);
  const fetch = (): Promise<Answer> =>
    broker.fetch({
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes,
      isolationLevel: 1,
      topics: [
        {
          topic,
          partitions: next.map((fetchOffset, partition) => ({
            partition,
            fetchOffset,
            maxBytes: maxBytesPerPartition,
          })),
        },
      ],
    });
  let seen = 0;
  let answer = await fetch();
  while (true) {
    const batches = answer.responses.flatMap((response) => response.partitions);
    const fresh = batches.map(({ partition, messages }) => {
      // It gives all of a batch in which an offset lies.
      const position = next[partition] ?? 0;
      const records = messages.filter(({ offset }) => Number(offset) >= position);
      const last = records.at(-1);
      if (last !== undefined) next[partition] = Number(last.offset) + 1;
      seen += records.length;
      return records;
    });
    const following = seen < count ? fetch() : null;
    for (const records of fresh) take(records);
    if (following === null) break;
    answer = await following;
  }
  await cluster.disconnect();
}

function clusterOf(brokers: readonly string[]): Cluster {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.ERROR });
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const createCluster: unknown = symbol && Reflect.get(kafka, symbol);
  if (typeof createCluster !== 'function') throw new Error('kafkajs lacks its createCluster');
  const cluster: Cluster = createCluster({
    allowAutoTopicCreation: false,
    metadataMaxAge: 300_000,
  });
  return cluster;
}
