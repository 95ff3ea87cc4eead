/**
 * Loaded into the server before its own code (`--import`), to tell what is only known inside the process.
 * Needs `--expose-gc`.
 */
import { setImmediate } from 'node:timers/promises';
import { writeHeapSnapshot } from 'node:v8';
import { answerCalls } from '../../bench/fanout/remote.ts';

export interface Inside {
  /** The JavaScript heap and the buffers outside it, after garbage has been collected. */
  readonly heapBytes: number;
  /** What keeps the process running, by its kind: `Timeout`, `TCPSocketWrap`, ... */
  readonly resources: Readonly<Record<string, number>>;
}

export interface ProbeCalls {
  inside(): Promise<Inside>;
  /** Writes all of the heap to a file, which Chromium's developer tools open and compare. */
  snapshot(file: string): void;
}

answerCalls<ProbeCalls>({
  async inside() {
    // What has a finalizer is gone only after the next collection.
    for (let collected = 0; collected < 3; collected += 1) {
      globalThis.gc?.();
      await setImmediate();
    }
    const { heapUsed, external } = process.memoryUsage();
    const resources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) {
      resources[kind] = (resources[kind] ?? 0) + 1;
    }
    return { heapBytes: heapUsed + external, resources };
  },

  snapshot(file) {
    writeHeapSnapshot(file);
  },
});

// A server ends when it is done, not when nobody asks any more.
process.channel?.unref();
