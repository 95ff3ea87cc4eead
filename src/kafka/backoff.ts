import { setTimeout as sleep } from 'node:timers/promises';

/** Bounds of a back-off, in milliseconds. */
export interface BackoffBounds {
  /** @default 100 */
  readonly firstMs?: number;
  /** @default 5_000 */
  readonly mostMs?: number;
}

/**
 * How long to wait before the next attempt: doubled with each failure in a row, with "equal jitter"
 * (between half and all of it), so that many readers that fail together do not return together.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param failures how many attempts have failed in a row, from 1
 * @param random in [0, 1)
 */
export function backoffMs(
  failures: number,
  { firstMs = 100, mostMs = 5_000 }: BackoffBounds = {},
  random: () => number = Math.random,
): number {
  const ceilingMs = Math.min(mostMs, firstMs * 2 ** (failures - 1));
  return ceilingMs / 2 + (random() * ceilingMs) / 2;
}

/** Resolves after so many milliseconds, or as soon as the signal is given. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
