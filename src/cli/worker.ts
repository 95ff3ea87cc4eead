import { workerSecretVariable } from '../config/environment.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { createLogger } from '../observe/logger.ts';
import { systemClock } from '../core/clock.ts';
import { closeWithinMs, endOnDefect, endOnSignal } from './ending.ts';
import { MetricsOfAll, type SupervisorMessage } from './metrics-exchange.ts';
import { reasonOf } from './reason.ts';
import { runServer } from './run-server.ts';
import type { WorkerMessage, WorkerPlace } from './worker-messages.ts';

/**
 * One of several servers on a port, started by a supervisor, to which it tells that it accepts
 * connections, or why it cannot. It goes when the supervisor has gone. Ends the process itself.
 */
export async function runWorker(file: string | undefined, place: WorkerPlace): Promise<void> {
  const { number, host, port } = place;
  const { config, problems } = loadConfig({ file, env: process.env });
  if (config === null) {
    // The file was in order when the supervisor started, and has changed since.
    await tell({ kind: 'failed', reason: problems.map(formatProblem).join('; ') });
    process.exit(1);
  }
  const logger = createLogger({ level: config.log.level, worker: number });
  endOnDefect(logger);
  try {
    const tokenSecret = process.env[workerSecretVariable];
    const metrics = new MetricsOfAll(systemClock, (message) => void tell(message));
    const allMetrics = (): Promise<string> => metrics.text();
    const shared = { listen: { host, port }, tokenSecret, worker: number, allMetrics };
    const server = await runServer({ config, file, logger, shared });
    metrics.begin(() => server.metrics());
    process.on('message', (message) => {
      if (isSupervisorMessage(message)) void metrics.receive(message);
    });
    const end = endOnSignal({ logger, close: () => server.stop(), withinMs: closeWithinMs });
    process.once('disconnect', () => end('SIGTERM'));
    if (!process.connected) end('SIGTERM');
    await tell({ kind: 'ready', url: server.url });
  } catch (error) {
    await tell({ kind: 'failed', reason: startFailure(error) });
    process.exit(1);
  }
}

/** Resolves when it was handed over, or cannot be any more. */
function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

function isSupervisorMessage(message: unknown): message is SupervisorMessage {
  return typeof message === 'object' && message !== null && 'kind' in message;
}

function startFailure(error: unknown): string {
  return error instanceof Error && 'code' in error && error.code === 'ENOTSUP'
    ? 'this platform does not let processes share a port; set workers to 1'
    : reasonOf(error);
}
