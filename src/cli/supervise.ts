import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../config/config.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../observe/logger.ts';
import { closeWithinMs, endOnSignal } from './ending.ts';
import { MetricsExchange } from './metrics-exchange.ts';
import { Supervisor } from './supervisor.ts';
import { startWorkerProcess } from './worker-process.ts';

export interface SuperviseOptions {
  readonly config: Config;
  readonly file: string | undefined;
  readonly logger: Logger;
}

/** Milliseconds after which workers that do not end are killed: they have given up themselves by then. */
const killWithinMs = closeWithinMs + 1_000;

/**
 * Runs the configured number of workers, each in a process of its own, until a signal comes. Resolves to
 * their address when all accept connections, and rejects if they cannot.
 */
export async function supervise({ config, file, logger }: SuperviseOptions): Promise<string> {
  const { host } = config.listen;
  const port = await freePort(config.listen);
  // Where the configuration has no secret, tokens are good at any of the workers all the same.
  const secret = randomBytes(32).toString('base64');
  const metrics = new MetricsExchange(systemClock);
  const supervisor = new Supervisor({
    workers: config.workers,
    clock: systemClock,
    logger,
    start: (number, events) =>
      startWorkerProcess(file, { number, host, port, secret, metrics }, events),
  });
  // However this process ends, short of a kill -9, which the workers notice themselves.
  process.on('exit', () => supervisor.kill());
  endOnSignal({ logger, close: (signal) => supervisor.stop(signal), withinMs: killWithinMs });
  // Nothing else keeps the process when all workers rest at the same time.
  setInterval(() => undefined, 2 ** 30);
  return supervisor.started;
}

/**
 * The port, if nobody listens on it. The workers could not tell: each of them would take its place beside
 * a server that shares the port, be it another Millrace.
 */
async function freePort({ host, port }: Pick<Config['listen'], 'host' | 'port'>): Promise<number> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  const closed = once(server, 'close');
  server.close();
  await closed;
  if (address === null || typeof address === 'string') throw new Error('listening on no port');
  return address.port;
}
