import type { Clock } from '../core/clock.ts';

/**
 * `act`, called at most `max` times in a minute; what is beyond that is left out. A minute begins with a
 * call.
 */
export function perMinute<Arguments extends unknown[]>(
  clock: Pick<Clock, 'now'>,
  max: number,
  act: (...args: Arguments) => void,
): (...args: Arguments) => void {
  let beganMs = Number.NEGATIVE_INFINITY;
  let calls = 0;
  return (...args) => {
    const nowMs = clock.now();
    // The clock may have been set back.
    if (nowMs - beganMs >= 60_000 || nowMs < beganMs) {
      beganMs = nowMs;
      calls = 0;
    }
    calls += 1;
    if (calls <= max) act(...args);
  };
}
