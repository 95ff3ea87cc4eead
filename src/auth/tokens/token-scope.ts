import type { PropertyFilter } from '../../decode/property-filter.ts';

/** What a token lets its bearer do, and for how long. */
export interface TokenScope {
  /** The topics that it may read; `null`: those of the key. */
  readonly topics: readonly string[] | null;
  /** What must hold of every event that it is shown. */
  readonly filter: readonly PropertyFilter[];
  /** In milliseconds since 1970. */
  readonly expiresAtMs: number;
}
