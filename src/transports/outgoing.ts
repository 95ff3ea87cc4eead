import type { Allowances } from './allowance/allowances.ts';
import type { OpenConnections } from './open-connections.ts';
import type { OutboxSettings } from './outbox.ts';
import type { Sent } from './sent.ts';

/** What becomes of a client that is too slow. */
export type SlowOutcome =
  /** What waited is dropped; it goes on from the log when it takes something. */
  | 'moved'
  /** Its connection is closed. */
  | 'cut';

/** What all connections that subscriptions are delivered on have in common. */
export interface Outgoing extends OutboxSettings {
  readonly sent: Sent;
  readonly connections: OpenConnections;
  readonly allowances: Allowances;
  /** Told of each client that was too slow. */
  readonly onSlow: (outcome: SlowOutcome) => void;
}
