/** How long to wait before connecting again, in milliseconds. */
export interface Backoff {
  /** The longest first wait. @default 500 */
  readonly firstMs?: number;
  /** The longest of all. @default 30_000 */
  readonly mostMs?: number;
  /** A connection that held for so long makes the next wait a first one again. @default 10_000 */
  readonly stableMs?: number;
}

export const backoffDefaults: Required<Backoff> = {
  firstMs: 500,
  mostMs: 30_000,
  stableMs: 10_000,
};

/**
 * The wait before the next attempt: its longest doubles with each failure in a row, and it is anything up to
 * that ("full jitter"), so that those who lost a server together do not come back together.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param failures in a row, from 1
 * @param random in [0, 1)
 */
export function backoffMs(
  failures: number,
  { firstMs, mostMs }: Required<Backoff>,
  random: number,
): number {
  return random * Math.min(mostMs, firstMs * 2 ** (failures - 1));
}
