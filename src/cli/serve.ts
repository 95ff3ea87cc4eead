import { systemClock } from '../core/clock.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { ConfigWatch } from '../config/watch.ts';
import { createLogger, type Logger } from '../observe/logger.ts';
import type { RunningServer } from '../server.ts';
import { printFindings } from './print-findings.ts';

/** Milliseconds after which a server that does not get done with closing is left as it is. */
const closeWithinMs = 28_000;

/** Milliseconds within which a second signal is taken for the first one again. */
const sameSignalWithinMs = 1_000;

/** Runs the server until it is told to stop. Ends the process itself. */
export async function serve(file: string | undefined): Promise<void> {
  const loaded = loadConfig({ file, env: process.env });
  const { config } = loaded;
  if (config === null) {
    printFindings(loaded);
    process.exitCode = 1;
    return;
  }
  const logger = createLogger({ level: config.log.level });
  for (const warning of loaded.warnings) logger.warn(`configuration: ${formatProblem(warning)}`);
  endOnDefect(logger);

  // Only now: the other commands need none of it.
  const { startServer } = await import('../server.ts');
  let server: RunningServer;
  try {
    server = await startServer(config, { logger });
  } catch (error) {
    process.stderr.write(`millrace cannot start: ${reasonOf(error)}\n`);
    logger.debug({ err: error }, 'cannot start');
    process.exit(1);
  }
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
  stopOnSignal(logger, async () => {
    watch?.close();
    await server.close();
  });
  process.stdout.write(`millrace accepts connections at ${server.url}\n`);
}

/** The first signal closes in order; another one, when somebody has lost patience, ends it at once. */
function stopOnSignal(logger: Logger, close: () => Promise<void>): void {
  let closingSinceMs: number | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    if (closingSinceMs !== null) {
      // Ctrl-C under `npm run` comes twice: from the terminal, and passed on by npm.
      if (performance.now() - closingSinceMs > sameSignalWithinMs) process.exit(1);
      return;
    }
    closingSinceMs = performance.now();
    logger.info({ signal }, 'closing');
    setTimeout(() => {
      logger.error('closing takes too long: giving up');
      process.exit(1);
    }, closeWithinMs).unref();
    close().then(
      () => process.exit(0),
      (err: unknown) => {
        logger.error({ err }, 'closing failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** What nobody caught is logged like everything else, and the process does not go on with it. */
function endOnDefect(logger: Logger): void {
  process.on('uncaughtException', (err) => {
    logger.fatal({ err }, 'a defect: ending');
    process.exit(1);
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
