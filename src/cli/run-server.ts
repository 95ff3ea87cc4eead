import type { Config } from '../config/config.ts';
import { ConfigWatch } from '../config/watch.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../observe/logger.ts';

export interface ServerRun {
  /** The configuration in force, and the file that it may come from. */
  readonly config: Config;
  readonly file: string | undefined;
  readonly logger: Logger;
  /** What a worker has together with others. @default it is alone */
  readonly shared?: {
    /** Where it listens. */
    readonly listen: Pick<Config['listen'], 'host' | 'port'>;
    readonly tokenSecret: string | undefined;
    /** Which of them it is, from 1. */
    readonly worker: number;
    /** The metrics of all of them. */
    readonly allMetrics: () => Promise<string>;
  };
}

export interface RunHandle {
  readonly url: string;
  /** Its own metrics. */
  metrics(): Promise<string>;
  /** Lets the clients go, and ends. */
  stop(): Promise<void>;
}

/** A server in this process, which follows its configuration file. Rejects if it cannot start. */
export async function runServer({ config, file, logger, shared }: ServerRun): Promise<RunHandle> {
  // Only now: the other commands need none of it.
  const { startServer } = await import('../server.ts');
  const listen = { ...config.listen, ...shared?.listen };
  const server = await startServer(
    { ...config, listen },
    { logger, ...shared, sharesPort: shared !== undefined },
  );
  const watch =
    file === undefined
      ? null
      : new ConfigWatch({
          file,
          env: process.env,
          config,
          clock: systemClock,
          logger,
          onProjects: (projects) => server.updateProjects(projects),
        });
  return {
    url: server.url,
    metrics: () => server.metrics(),
    async stop() {
      watch?.close();
      await server.drain();
      await server.close();
    },
  };
}
