/**
 * Loaded into every server before its own code (`--import`), so that the bench can ask for what is only
 * known inside a process. Needs `--expose-gc`.
 */
import { setImmediate } from 'node:timers/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { answerCalls } from '../remote.ts';

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface Memory {
  /** The JavaScript heap and the buffers outside it. */
  readonly usedBytes: number;
  /** What of the process lies in memory. */
  readonly residentBytes: number;
}

export interface ProbeCalls {
  beginDelay(): void;
  /** How much later than planned timers fired since `beginDelay`. */
  endDelay(): LoopDelay;
  /** After garbage has been collected. */
  memory(): Promise<Memory>;
}

const resolutionMs = 10;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });

answerCalls<ProbeCalls>({
  beginDelay() {
    delay.reset();
    delay.enable();
  },

  endDelay() {
    delay.disable();
    return { p99Ms: lateMs(delay.percentile(99)), maxMs: lateMs(delay.max) };
  },

  async memory() {
    for (let collected = 0; collected < 3; collected += 1) {
      globalThis.gc?.();
      await setImmediate();
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    return { usedBytes: heapUsed + external, residentBytes: rss };
  },
});

/** The histogram holds the intervals between two ticks, the planned part included. */
function lateMs(intervalNs: number): number {
  return Math.max(0, intervalNs / 1e6 - resolutionMs);
}

// A server ends when it is done, not when nobody asks any more.
process.channel?.unref();
