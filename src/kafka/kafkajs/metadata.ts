import type { KafkaError, PartitionDescription, TopicDescription } from '../port.ts';
import { topicError, topicNotFound } from '../topic-errors.ts';
import { WireReader } from '../wire/wire-reader.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import type { BrokerConnection } from './connection.ts';
import type { WireAnswer, WireRequest } from './private-api.ts';
import { privateApi, wireBody } from './private-api.ts';

export interface ClusterMetadata extends WireAnswer {
  readonly clusterId: string | null;
  readonly brokers: readonly BrokerMetadata[];
  readonly topics: readonly TopicMetadata[];
}

export interface BrokerMetadata {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly name: string;
  /** `null`: the broker is older than Kafka 3.1. */
  readonly topicId: string | null;
  readonly internal: boolean;
  readonly partitions: readonly PartitionDescription[];
}

/** What an answer says of topics that were asked about. Internal ones, such as `__consumer_offsets`, are nobody's. */
export function topicsIn(
  { topics }: ClusterMetadata,
  names: readonly string[],
): Map<string, TopicDescription | KafkaError> {
  const byName = new Map(topics.map((topic) => [topic.name, topic]));
  return new Map(names.map((name) => [name, described(name, byName.get(name))]));
}

function described(name: string, topic: TopicMetadata | undefined): TopicDescription | KafkaError {
  if (!topic || topic.internal) return topicNotFound(name);
  const { errorCode, topicId, partitions } = topic;
  const error = topicError(name, errorCode);
  return error ?? { name, topicId, partitions: partitions.toSorted((a, b) => a.id - b.id) };
}

const apiKey = 3;
/** The first version with topic ids in which a topic may still be asked for by its name. */
const version = 12;
const noTopicId = Buffer.alloc(16);

/**
 * Never creates a topic.
 *
 * @param topics `null`: all that the login may describe
 */
export function metadataRequest(
  connection: BrokerConnection,
  topics: readonly string[] | null,
): WireRequest<ClusterMetadata> {
  if (connection.maxVersion(apiKey) < version) return olderRequest(topics);
  return {
    request: {
      apiKey,
      apiVersion: version,
      apiName: 'Metadata',
      encode: async () => {
        const body = new WireWriter();
        // Belongs to the header, which kafkajs writes as it was before tagged fields.
        body.tags();
        body.compactArray(topics, (topic) => {
          body.bytes(noTopicId);
          body.compactString(topic);
          body.tags();
        });
        body.boolean(false); // create topics
        body.boolean(false); // list permitted operations
        body.tags();
        return wireBody(body.finish());
      },
    },
    response: { decode: async (payload) => decode(payload), parse: async (answer) => answer },
  };
}

function decode(payload: Buffer): ClusterMetadata {
  const body = new WireReader(payload);
  body.tags(); // of the header
  const clientSideThrottleTime = body.int32();
  const brokers = body.compactArray(() => {
    const broker = { nodeId: body.int32(), host: body.compactString() ?? '', port: body.int32() };
    body.compactString(); // rack
    body.tags();
    return broker;
  });
  const clusterId = body.compactString();
  body.int32(); // controller
  const topics = body.compactArray(() => {
    const errorCode = body.int16();
    const name = body.compactString() ?? '';
    const id = body.bytes(16);
    const topicId = id.equals(noTopicId) ? null : uuid(id);
    const internal = body.boolean();
    const partitions = body.compactArray(() => decodePartition(body));
    body.int32(); // permitted operations
    body.tags();
    return { errorCode, name, topicId, internal, partitions };
  });
  return { clientSideThrottleTime, clusterId, brokers, topics };
}

function decodePartition(body: WireReader): PartitionDescription {
  body.int16(); // error: says no more than that there is no leader, or that a follower is down
  const id = body.int32();
  const leader = body.int32();
  const leaderEpoch = body.int32();
  for (let list = 0; list < 3; list += 1) body.compactArray(() => body.int32()); // replicas
  body.tags();
  return {
    id,
    leader: leader < 0 ? null : leader,
    leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch,
  };
}

function uuid(bytes: Buffer): string {
  return bytes.toString('base64url');
}

/** As kafkajs decodes it. */
interface OlderMetadata {
  readonly clientSideThrottleTime: number;
  readonly clusterId: string | null;
  readonly brokers: readonly BrokerMetadata[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly isInternal: boolean;
    readonly partitionMetadata: readonly {
      readonly partitionId: number;
      readonly leader: number;
    }[];
  }[];
}

/** For brokers before Kafka 3.1. kafkajs' own `parse` is left out: it refuses all for one topic's error. */
function olderRequest(topics: readonly string[] | null): WireRequest<ClusterMetadata> {
  const { request, response } = privateApi().requests.Metadata.protocol({
    version: 6,
  })<OlderMetadata>({ topics: topics ?? [], allowAutoTopicCreation: false });
  return {
    request,
    response: {
      decode: async (payload) => {
        const older = await response.decode(payload);
        return {
          clientSideThrottleTime: older.clientSideThrottleTime,
          clusterId: older.clusterId,
          brokers: older.brokers,
          topics: older.topicMetadata.map((topic) => ({
            errorCode: topic.topicErrorCode,
            name: topic.topic,
            topicId: null,
            internal: topic.isInternal,
            partitions: topic.partitionMetadata.map(({ partitionId, leader }) => ({
              id: partitionId,
              leader: leader < 0 ? null : leader,
              leaderEpoch: null,
            })),
          })),
        };
      },
      parse: async (answer) => answer,
    },
  };
}
