import type { Config } from '../config/config.ts';
import { ConfigWatch } from '../config/watch.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../observe/logger.ts';

export interface ServerRun {
  /** The configuration in force, and the file that it may come from. */
  readonly config: Config;
  readonly file: string | undefined;
  readonly logger: Logger;
  /** Where a worker listens, together with others. @default where the configuration says, alone */
  readonly shared?: { readonly host: string; readonly port: number };
}

export interface RunHandle {
  readonly url: string;
  close(): Promise<void>;
}

/** A server in this process, which follows its configuration file. Rejects if it cannot start. */
export async function runServer({ config, file, logger, shared }: ServerRun): Promise<RunHandle> {
  // Only now: the other commands need none of it.
  const { startServer } = await import('../server.ts');
  const server = await startServer(shared === undefined ? config : { ...config, listen: shared }, {
    logger,
    sharesPort: shared !== undefined,
  });
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
    close() {
      watch?.close();
      return server.close();
    },
  };
}
