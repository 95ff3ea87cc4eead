import { createAPI, metadataV12, metadataV8, metadataV9, type API } from '@platformatic/kafka';
import type { KafkaError, PartitionDescription, TopicDescription } from '../port.ts';
import { topicError, topicNotFound } from '../topic-errors.ts';
import type { BrokerAddress } from './broker-connection.ts';
import { topicIdOf } from './topic-id.ts';

type MetadataRequest = [topics: readonly string[] | null, createTopics: false];

interface MetadataAnswer {
  readonly clusterId: string | null | undefined;
  readonly brokers: readonly (BrokerAddress & { readonly nodeId: number })[];
  readonly topics: readonly TopicAnswer[];
}

interface TopicAnswer {
  readonly name: string | null | undefined;
  readonly errorCode: number;
  readonly isInternal: boolean;
  readonly topicId?: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly leaderId: number;
    readonly leaderEpoch: number;
  }[];
}

/** Asks for the named topics, for none, or (`null`) for all. Version 12 brings the ids of topics. */
export const metadataApis: readonly API<MetadataRequest, MetadataAnswer>[] = [
  createAPI<MetadataRequest, MetadataAnswer>(
    3,
    12,
    metadataV12.createRequest,
    metadataV12.parseResponse,
  ),
  createAPI<MetadataRequest, MetadataAnswer>(
    3,
    9,
    metadataV9.createRequest,
    metadataV9.parseResponse,
  ),
  createAPI<MetadataRequest, MetadataAnswer>(
    3,
    8,
    metadataV8.createRequest,
    metadataV8.parseResponse,
    false,
    false,
  ),
];

/** The cluster as one broker knew it when it was asked. */
export interface ClusterView {
  readonly clusterId: string;
  /** By node id. */
  readonly brokers: ReadonlyMap<number, BrokerAddress>;
  /** Those that were asked about, internal ones left out. */
  readonly topics: ReadonlyMap<string, TopicDescription | KafkaError>;
}

export function clusterView(answer: MetadataAnswer): ClusterView {
  const topics = new Map<string, TopicDescription | KafkaError>();
  for (const topic of answer.topics) {
    if (!topic.name || topic.isInternal) continue;
    topics.set(topic.name, topicError(topic.name, topic.errorCode) ?? described(topic.name, topic));
  }
  return {
    clusterId: answer.clusterId ?? '',
    brokers: new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
    topics,
  };
}

/** A topic that was asked about. */
export function topicIn(view: ClusterView, topic: string): TopicDescription | KafkaError {
  return view.topics.get(topic) ?? topicNotFound(topic);
}

function described(name: string, { topicId, partitions }: TopicAnswer): TopicDescription {
  return {
    name,
    topicId: topicId === undefined ? null : topicIdOf(topicId),
    partitions: partitions
      .map(
        ({ partitionIndex, leaderId, leaderEpoch }): PartitionDescription => ({
          id: partitionIndex,
          leader: leaderId < 0 ? null : leaderId,
          leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch,
        }),
      )
      .toSorted((a, b) => a.id - b.id),
  };
}
