import type { EventOrder } from '../../src/sequence/order.ts';

/** A topic under test. */
export interface ChaosTopic {
  readonly projectId: string;
  /** As its subscribers call it. */
  readonly name: string;
  readonly kafkaTopic: string;
}

/** One event as a subscriber got it. */
export interface GotEvent {
  readonly id: string;
  readonly late: boolean;
  readonly timestampMs: number;
  readonly sequence: number;
  readonly partition: number;
  readonly offset: number;
}

/** What a subscriber of a topic got, in its order, over all of its connections. */
export interface Tape {
  readonly name: string;
  readonly topic: ChaosTopic;
  readonly order: EventOrder;
  readonly got: GotEvent[];
}

/** An id says whose event it is. */
export function idOf({ kafkaTopic }: ChaosTopic, number: number): string {
  return `${kafkaTopic}/${number}`;
}
