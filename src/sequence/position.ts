import type { OrderKey } from './order-key.ts';

/** The position of a cursor. */
export interface ResumePoint {
  /** K. */
  readonly key: OrderKey | null;
  /** R. */
  readonly next: ReadonlyMap<number, number>;
  /** V. Records below it are asked for their ids only. @default where each partition was added */
  readonly lowest?: ReadonlyMap<number, number>;
}

/** (K, R, V): what has been emitted is a function of K, R and the log. */
export interface Position {
  /** K: the key of the last event released in order; `null`: none yet. */
  readonly key: OrderKey | null;
  /** R, by partition: the next offset that is not yet ingested. */
  readonly next: ReadonlyMap<number, number>;
  /** V <= R, by partition: the lowest offset that is held; R where none is. */
  readonly lowest: ReadonlyMap<number, number>;
}
