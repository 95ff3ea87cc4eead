const originUs = Number(process.hrtime.bigint() / 1_000n) - performance.now() * 1_000;

/**
 * Microseconds on a clock that all processes of this machine share and nobody sets (on Linux
 * CLOCK_MONOTONIC), so that one process can tell how long ago another one did something.
 */
export function nowUs(): number {
  return originUs + performance.now() * 1_000;
}
