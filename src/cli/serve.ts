import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { createLogger, type Logger } from '../observe/logger.ts';
import { closeWithinMs, endOnDefect, endOnSignal } from './ending.ts';
import { printFindings } from './print-findings.ts';
import { reasonOf } from './reason.ts';
import { runServer } from './run-server.ts';
import { supervise } from './supervise.ts';

/** Runs the server until it is told to stop: here, or in several workers. Ends the process itself. */
export async function serve(file: string | undefined): Promise<void> {
  const loaded = loadConfig({ file, env: process.env });
  const { config } = loaded;
  if (config === null) {
    printFindings(loaded, file);
    process.exitCode = 1;
    return;
  }
  const logger = createLogger({ level: config.log.level });
  for (const warning of loaded.warnings) logger.warn(`configuration: ${formatProblem(warning)}`);
  endOnDefect(logger);
  try {
    const url = await (config.workers === 1
      ? serveHere(config, file, logger)
      : supervise({ config, file, logger }));
    process.stdout.write(`millrace accepts connections at ${url}\n`);
  } catch (error) {
    process.stderr.write(`millrace cannot start: ${reasonOf(error)}\n`);
    logger.debug({ err: error }, 'cannot start');
    process.exit(1);
  }
}

async function serveHere(
  config: Config,
  file: string | undefined,
  logger: Logger,
): Promise<string> {
  const starting = runServer({ config, file, logger });
  // Already while it starts: the first process of a container is not ended by a signal that it does not heed.
  const close = async (): Promise<void> => (await starting).stop();
  endOnSignal({ logger, close, withinMs: closeWithinMs });
  return (await starting).url;
}
