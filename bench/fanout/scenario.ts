import type { Operation } from './client/main.ts';
import type { Protocol } from './client/wires.ts';
import type { ContestantName } from './servers/contestant.ts';

/** A question that the bench answers: variants that are measured in turn, and what is to come of it. */
export interface Scenario {
  readonly variants: readonly Variant[];
  readonly targets: readonly Target[];
}

export interface Variant {
  /** By which targets name it. */
  readonly label: string;
  readonly contestant: ContestantName;
  readonly load: Load | MemoryLoad;
}

/** Events under way, for a while. */
export interface Load {
  readonly kind: 'events';
  readonly protocol: Protocol;
  /** Over which the subscriptions are dealt out. */
  readonly connections: number;
  readonly subscriptions: number;
  /** Taken in turn by the subscriptions. */
  readonly operations: readonly Operation[];
  readonly turnsPerSecond: number;
  readonly eventsPerTurn: number;
  /** How many subscriptions get each event: all of them, or the one whose filter it passes. */
  readonly matches: 'all' | 'one';
  /**
   * Whether there is one connection more that does not read, with so many subscriptions that it has
   * more to get than the buffers of the system hold. @default false
   */
  readonly stalledBeside?: boolean;
}

/** Connections, and subscriptions on connections that are open, that have nothing to do. */
export interface MemoryLoad {
  readonly kind: 'memory';
  readonly connections: number;
  /** On each of 100 connections that have one already; 0: the server knows no subscriptions. */
  readonly moreSubscriptions: number;
  readonly operations: readonly Operation[];
}

/** What a run came to, by name; figures carry their unit. */
export type Figures = Readonly<Record<string, number>>;

export interface Target {
  readonly figure: string;
  /** Label of a variant. */
  readonly of: string;
  /** Of another, to which it is set in relation; absent: the figure itself counts. */
  readonly to?: string;
  readonly atMost: number;
}
