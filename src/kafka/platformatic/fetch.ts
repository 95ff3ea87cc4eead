import {
  createAPI,
  fetchV11,
  fetchV12,
  fetchV13,
  fetchV15,
  fetchV17,
  type API,
  type Reader,
} from '@platformatic/kafka';
import type { FetchRequest } from '../reader/brokers.ts';
import { decodeFetchAnswer, type FetchAnswer } from '../wire/fetch-answer.ts';
import { isolation } from '../wire/isolation.ts';
import { uuidOf } from './topic-id.ts';
import { WireReader } from '../wire/wire-reader.ts';

type FetchParameters = Parameters<typeof fetchV17.createRequest>;
type FetchApi = API<FetchParameters, FetchAnswer>;

/** From which version on topics go by their ids. Before, they go by their names. */
const topicIdsSince = 13;

/** Fetch with the library's requests; its `Consumer.fetch` would not do, see `decodeFetchAnswer`. */
const fetchApis: readonly FetchApi[] = [
  createAPI(1, 17, fetchV17.createRequest, newer),
  createAPI(1, 15, fetchV15.createRequest, newer),
  createAPI(1, 13, fetchV13.createRequest, newer),
  createAPI(1, 12, fetchV12.createRequest, (_id, _key, _version, reader) =>
    decodeFetchAnswer(bodyOf(reader), { compact: true, named: true }),
  ),
  createAPI(
    1,
    11,
    fetchV11.createRequest,
    (_id, _key, _version, reader) =>
      decodeFetchAnswer(bodyOf(reader), { compact: false, named: true }),
    false,
    false,
  ),
];
const namingFetchApis = fetchApis.filter(({ version }) => version < topicIdsSince);

/** The versions in which this can be asked, the newest first. */
export function fetchApisFor({ topicId }: FetchRequest): readonly FetchApi[] {
  return topicId === null ? namingFetchApis : fetchApis;
}

export function fetchParameters(version: number, request: FetchRequest): FetchParameters {
  const { topic, topicId, positions, maxWaitMs, maxBytes, partitionMaxBytes } = request;
  const partitions = positions.map(({ partition, offset, leaderEpoch, readEpoch }) => ({
    partition,
    currentLeaderEpoch: leaderEpoch ?? -1,
    fetchOffset: BigInt(offset),
    lastFetchedEpoch: readEpoch ?? -1,
    partitionMaxBytes,
  }));
  return [
    maxWaitMs,
    1,
    maxBytes,
    isolation.readCommitted,
    0, // no session: each answer tells of all partitions
    -1,
    [
      {
        topicId: version < topicIdsSince || topicId === null ? topic : uuidOf(topicId),
        partitions,
      },
    ],
    [],
    '',
  ];
}

function newer(_id: number, _key: number, _version: number, reader: Reader): FetchAnswer {
  return decodeFetchAnswer(bodyOf(reader), { compact: true, named: false });
}

/** In one piece, in which all that is read of it are slices. */
function bodyOf({ buffer, position }: Reader): WireReader {
  return new WireReader(buffer.slice(position));
}
