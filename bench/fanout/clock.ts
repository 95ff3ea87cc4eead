/**
 * Microseconds on a clock that all processes of this machine share and nobody sets (on Linux
 * CLOCK_MONOTONIC), so that one process can tell how long ago another one did something.
 */
export function nowUs(): number {
  return Number(process.hrtime.bigint()) / 1_000;
}
