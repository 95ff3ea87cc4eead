import { KafkaError } from '../port.ts';
import type { BrokerConnection } from './connection.ts';
import type { WireAnswer, WireRequest } from './private-api.ts';
import { privateApi } from './private-api.ts';
import type { AbortedTransaction } from './record-batch.ts';
import { WireReader } from './wire.ts';

export interface FetchParameters {
  readonly topic: string;
  /** Partition to position, in the order in which they may fill the answer. */
  readonly positions: ReadonlyMap<number, number>;
  readonly maxWaitMs: number;
  /** Of the whole answer, and of one partition in it. */
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
}

export interface FetchAnswer extends WireAnswer {
  readonly clientSideThrottleTime: number;
  readonly partitions: readonly FetchedPartition[];
}

export interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  /** Where what may be read ends: aborted and unended transactions are not read. */
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Batches as they lie in the log; the last may be cut off. A slice of the answer. */
  readonly batches: Buffer;
}

/** Kafka 2.3. */
const version = 11;
const readCommitted = 1;

/**
 * The answer is taken apart here rather than by kafkajs, which gives up a whole answer for the error
 * of one partition or the damage of one batch, and does not tell how far an empty batch reaches.
 */
export function fetchRequest(
  connection: Pick<BrokerConnection, 'maxVersion'>,
  parameters: FetchParameters,
): WireRequest<FetchAnswer> {
  const { topic, positions, maxWaitMs, maxBytes, partitionMaxBytes } = parameters;
  const { request } = privateApi().requests.Fetch.protocol({ version })<FetchAnswer>({
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: readCommitted,
    topics: [
      {
        topic,
        partitions: Array.from(positions, ([partition, position]) => ({
          partition,
          fetchOffset: position,
          maxBytes: partitionMaxBytes,
        })),
      },
    ],
  });
  if (connection.maxVersion(request.apiKey) < version) {
    throw new KafkaError('UNAVAILABLE', 'the broker is older than Kafka 2.3');
  }
  return {
    request,
    response: { decode: async (payload) => decode(payload), parse: async (answer) => answer },
  };
}

function decode(payload: Buffer): FetchAnswer {
  const body = new WireReader(payload);
  const clientSideThrottleTime = body.int32();
  const errorCode = body.int16();
  if (errorCode !== 0) {
    throw new KafkaError('UNAVAILABLE', `fetch: ${privateApi().errorName(errorCode)}`);
  }
  body.int32(); // session
  const topics = body.array(() => {
    body.string();
    return body.array(() => decodePartition(body));
  });
  return { clientSideThrottleTime, partitions: topics.flat() };
}

function decodePartition(body: WireReader): FetchedPartition {
  const partition = body.int32();
  const errorCode = body.int16();
  const highWatermark = body.int64();
  const lastStableOffset = body.int64();
  const logStartOffset = body.int64();
  const aborted = body.array(() => ({ producerId: body.int64(), firstOffset: body.int64() }));
  body.int32(); // a replica that would be nearer
  const batches = body.bytes(Math.max(0, body.int32()));
  return {
    partition,
    errorCode,
    lastStableOffset: lastStableOffset < 0 ? highWatermark : lastStableOffset,
    logStartOffset,
    aborted,
    batches,
  };
}
