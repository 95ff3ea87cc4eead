import type { EventOrder } from '../../src/sequence/order.ts';

/** A topic under test. */
export interface ChaosTopic {
  readonly projectId: string;
  /** As its subscribers call it. */
  readonly name: string;
  readonly kafkaTopic: string;
}

/** Where an event lies in the log. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** One event as a subscriber got it. */
export interface GotEvent extends Place {
  readonly id: string;
  readonly late: boolean;
  readonly timestampMs: number;
  readonly sequence: number;
  /** Which of the subscriber's connections brought it, from 1. */
  readonly connection: number;
}

/** What a subscriber of a topic got, in its order, over all of its connections. */
export interface Tape {
  readonly name: string;
  readonly topic: ChaosTopic;
  readonly order: EventOrder;
  readonly got: readonly GotEvent[];
  /** Codes of the errors that it was told. */
  readonly errors: readonly string[];
}

/** An id says whose event it is. */
export function idOf({ kafkaTopic }: ChaosTopic, number: number): string {
  return `${kafkaTopic}/${number}`;
}
