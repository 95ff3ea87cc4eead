/**
 * The server under test, in a process of its own; needs `--expose-gc`. It is Millrace as it is served, but that
 * it can be asked how many feeds read Kafka.
 */
import { setImmediate } from 'node:timers/promises';
import { createLogger } from '../../src/observe/logger.ts';
import { type RunningServer, startServer } from '../../src/server.ts';
import { testConfig } from '../../test/support/server.ts';
import { answerCalls } from '../fanout/remote.ts';

export interface Memory {
  /** The JavaScript heap and the buffers outside it, in MiB. */
  readonly used: number;
  /** What of the process lies in memory, in MiB. */
  readonly resident: number;
}

export interface ServerCalls {
  /** @returns the port */
  start(settings: Record<string, string>): Promise<number>;
  /** How many feeds read Kafka now, and at the most since this was asked last. */
  readers(): { readonly now: number; readonly most: number };
  /** After garbage has been collected. */
  memory(): Promise<Memory>;
}

const sampledEveryMs = 20;
let server: RunningServer | undefined;
let most = 0;

function feeds(): number {
  return server === undefined ? 0 : [...server.hub.registry.feeds()].length;
}

setInterval(() => {
  most = Math.max(most, feeds());
}, sampledEveryMs).unref();

answerCalls<ServerCalls>({
  async start(settings) {
    const config = testConfig({ MILLRACE_TOPICS_DEFAULTS_LATENESS: '2s', ...settings });
    server = await startServer(config, { logger: createLogger({ level: 'error' }) });
    return Number(new URL(server.url).port);
  },

  readers() {
    const counted = { now: feeds(), most: Math.max(most, feeds()) };
    most = 0;
    return counted;
  },

  async memory() {
    for (let collected = 0; collected < 3; collected += 1) {
      globalThis.gc?.();
      await setImmediate();
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    return { used: mebibytes(heapUsed + external), resident: mebibytes(rss) };
  },
});

function mebibytes(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 10) / 10;
}
