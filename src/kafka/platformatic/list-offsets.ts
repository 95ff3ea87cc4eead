import {
  createAPI,
  listOffsetsV4,
  listOffsetsV6,
  listOffsetsV9,
  type API,
} from '@platformatic/kafka';
import type { OffsetPoint } from '../port.ts';
import type { IsolationLevel } from '../wire/isolation.ts';

/** One broker's part of a question about offsets. */
export interface OffsetQuestion {
  name: string;
  partitions: { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[];
}

interface OffsetAnswer {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly errorCode: number;
      readonly offset: bigint;
    }[];
  }[];
}

type ListOffsetsRequest = [replica: -1, isolation: IsolationLevel, topics: OffsetQuestion[]];

export const listOffsetsApis: readonly API<ListOffsetsRequest, OffsetAnswer>[] = [
  createAPI<ListOffsetsRequest, OffsetAnswer>(
    2,
    9,
    listOffsetsV9.createRequest,
    listOffsetsV9.parseResponse,
  ),
  createAPI<ListOffsetsRequest, OffsetAnswer>(
    2,
    6,
    listOffsetsV6.createRequest,
    listOffsetsV6.parseResponse,
  ),
  createAPI<ListOffsetsRequest, OffsetAnswer>(
    2,
    4,
    listOffsetsV4.createRequest,
    listOffsetsV4.parseResponse,
    false,
    false,
  ),
];

/** How the protocol writes a point in the log. */
export function wireTimestamp(at: OffsetPoint): bigint {
  if (at === 'earliest') return -2n;
  if (at === 'latest') return -1n;
  return BigInt(Math.ceil(at.timestampMs));
}
