import { KafkaError } from '../port.ts';
import type { FetchRequest } from '../reader/brokers.ts';
import type { FetchAnswer } from '../wire/fetch-answer.ts';
import { decodeFetchAnswer } from '../wire/fetch-answer.ts';
import { isolation } from '../wire/isolation.ts';
import { WireReader } from '../wire/wire-reader.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import type { BrokerConnection } from './connection.ts';
import type { WireAnswer, WireRequest } from './private-api.ts';
import { privateApi, wireBody } from './private-api.ts';

/** With the throttle time as kafkajs heeds it. */
export type ThrottledFetchAnswer = FetchAnswer & WireAnswer;

const apiKey = 1;
/** Kafka 2.3. */
const oldestVersion = 11;
/** Kafka 2.7: the first that tells where a log departs from the one that was read. */
const version = 12;

/** @throws {KafkaError} if the broker is too old */
export function fetchRequest(
  connection: Pick<BrokerConnection, 'maxVersion'>,
  request: FetchRequest,
): WireRequest<ThrottledFetchAnswer> {
  const spoken = connection.maxVersion(apiKey);
  if (spoken < oldestVersion) {
    throw new KafkaError('UNAVAILABLE', 'the broker is older than Kafka 2.3');
  }
  return spoken < version ? olderRequest(request) : newerRequest(request);
}

function newerRequest(parameters: FetchRequest): WireRequest<ThrottledFetchAnswer> {
  return {
    request: {
      apiKey,
      apiVersion: version,
      apiName: 'Fetch',
      encode: async () => wireBody(encode(parameters)),
    },
    response: {
      decode: async (payload) => {
        const body = new WireReader(payload);
        body.tags(); // of the header
        return throttled(decodeFetchAnswer(body, { compact: true, named: true }));
      },
      parse: async (answer) => answer,
    },
  };
}

function encode({
  topic,
  positions,
  maxWaitMs,
  maxBytes,
  partitionMaxBytes,
}: FetchRequest): Buffer {
  const body = new WireWriter();
  // Belongs to the header, which kafkajs writes as it was before tagged fields.
  body.tags();
  body.int32(-1); // no replica
  body.int32(maxWaitMs);
  body.int32(1); // least bytes
  body.int32(maxBytes);
  body.int8(isolation.readCommitted);
  body.int32(0); // no session: each answer tells of all partitions
  body.int32(-1);
  body.compactArray([topic], () => {
    body.compactString(topic);
    body.compactArray(positions, ({ partition, offset, leaderEpoch, readEpoch }) => {
      body.int32(partition);
      body.int32(leaderEpoch ?? -1);
      body.int64(offset);
      body.int32(readEpoch ?? -1);
      body.int64(-1); // log start of a replica
      body.int32(partitionMaxBytes);
      body.tags();
    });
    body.tags();
  });
  body.compactArray([], () => undefined); // topics that leave the session
  body.compactString(''); // rack
  body.tags();
  return body.finish();
}

function olderRequest({
  topic,
  positions,
  maxWaitMs,
  maxBytes,
  partitionMaxBytes,
}: FetchRequest): WireRequest<ThrottledFetchAnswer> {
  const { request } = privateApi().requests.Fetch.protocol({
    version: oldestVersion,
  })<ThrottledFetchAnswer>({
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: isolation.readCommitted,
    topics: [
      {
        topic,
        partitions: positions.map(({ partition, offset, leaderEpoch }) => ({
          partition,
          currentLeaderEpoch: leaderEpoch ?? -1,
          fetchOffset: offset,
          maxBytes: partitionMaxBytes,
        })),
      },
    ],
  });
  return {
    request,
    response: {
      decode: async (payload) =>
        throttled(decodeFetchAnswer(new WireReader(payload), { compact: false, named: true })),
      parse: async (answer) => answer,
    },
  };
}

function throttled(answer: FetchAnswer): ThrottledFetchAnswer {
  return { ...answer, clientSideThrottleTime: answer.throttledMs };
}
