import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workerSecretVariable } from '../config/environment.ts';
import type { Member, MetricsExchange } from './metrics-exchange.ts';
import type { WorkerEvents, WorkerProcess } from './supervisor.ts';
import type { WorkerMessage, WorkerPlace } from './worker-messages.ts';

/** Beside this file and, as the package is JavaScript, with its extension. */
const main = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url));

/** Starts a worker in a process of its own. It writes to the same standard output and error. */
export function startWorkerProcess(
  file: string | undefined,
  {
    number,
    host,
    port,
    secret,
    metrics,
  }: WorkerPlace & { readonly secret: string; readonly metrics: MetricsExchange },
  { onReady, onExit }: WorkerEvents,
): WorkerProcess {
  const configured = file === undefined ? [] : ['--config', file];
  const child = fork(main, ['worker', String(number), host, String(port), ...configured], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Not an argument: those can be read by everybody on the machine.
    env: { ...process.env, [workerSecretVariable]: secret },
  });
  const member: Member = {
    // An error is that of one that has gone.
    send: (message) => void child.send(message, () => undefined),
  };
  let reason: string | null = null;
  let ended = false;
  const end = (code: number | null, signal: NodeJS.Signals | null): void => {
    if (ended) return;
    ended = true;
    onExit({ code, signal, reason });
  };
  child.on('message', (message) => {
    if (!isWorkerMessage(message)) return;
    switch (message.kind) {
      case 'ready':
        metrics.join(member);
        return onReady(message.url);
      case 'failed':
        reason = message.reason;
        return;
      default:
        metrics.receive(member, message);
    }
  });
  // Of a process that could not be started there is an error and no exit.
  child.on('error', (error) => {
    reason ??= error.message;
    if (child.pid === undefined) end(null, null);
  });
  // Not `exit`: its last words may still be on the way then.
  child.on('close', end);
  child.on('disconnect', () => metrics.leave(member));
  return { pid: child.pid ?? null, kill: (signal) => void child.kill(signal) };
}

function isWorkerMessage(message: unknown): message is WorkerMessage {
  return typeof message === 'object' && message !== null && 'kind' in message;
}
