import type { OrderKey } from '../../sequence/order-key.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';
import type { StreamMessage } from './stream-message.ts';

/** A record that a stream dropped as a copy: where it lies, and its place in the order. */
export interface Copy {
  readonly id: string;
  readonly lane: number;
  readonly offset: number;
  readonly key: OrderKey | null;
}

/** What a stream emitted and dropped between two positions, in order. The oldest are forgotten first. */
export class Segment<Item> {
  readonly start: StreamPosition;
  readonly messages: StreamMessage<Item>[] = [];
  readonly copies: Copy[] = [];
  bytes = 0;
  /** Where it ends; of the last one of a history, where the stream stands. */
  end: StreamPosition;
  next: Segment<Item> | null = null;
  isForgotten = false;

  constructor(start: StreamPosition) {
    this.start = start;
    this.end = start;
  }

  /** The position that is reached with its message `at`; behind the last one, its end. */
  positionAt(at: number): StreamPosition {
    return this.messages[at]?.position ?? this.end;
  }
}
