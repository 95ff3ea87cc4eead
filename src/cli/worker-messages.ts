import type { MetricsMessage } from './metrics-exchange.ts';

/** What a supervisor tells a worker when it starts it. */
export interface WorkerPlace {
  /** Which of the workers it is, from 1. */
  readonly number: number;
  readonly host: string;
  readonly port: number;
}

/** What a worker tells its supervisor. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | MetricsMessage;
