import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { residentBytes } from '../fanout/kernel.ts';
import { Remote } from '../fanout/remote.ts';
import { login } from '../fanout/client/wire.ts';
import { topicName } from './client.ts';
import { type BenchEvent, type Log, openLog, partitions } from './log.ts';
import type { ServerCalls } from './server.ts';

/** A topic that nobody else has: each scenario begins with an empty one. */
export interface Stage {
  readonly log: Log;
  /** Another server, in a process of its own, with nothing in its memory. */
  startServer(settings?: Record<string, string>): Promise<Server>;
}

export interface Server {
  readonly port: number;
  readonly remote: Remote<ServerCalls>;
  /** What of the process lies in memory, in MiB, asked without disturbing it. */
  residentMiB(): number;
  stop(): Promise<void>;
}

/** Topics of scenarios are told apart by the template of their servers. */
export async function openStage(
  cluster: KafkaCluster,
  scenario: string,
  driver: string,
): Promise<Stage> {
  const brokers = cluster.bootstrap('admin');
  const kafkaTopic = `${login.projectId}.${scenario}-${topicName}`;
  await cluster.createTopic(kafkaTopic, { partitions });
  const log = await openLog(brokers, kafkaTopic);
  return {
    log,
    startServer: (settings = {}) =>
      startServer({
        MILLRACE_KAFKA_CLIENT: driver,
        MILLRACE_KAFKA_BROKERS: brokers.join(),
        MILLRACE_KAFKA_TOPIC_TEMPLATE: `{projectId}.${scenario}-{topic}`,
        ...settings,
      }),
  };
}

async function startServer(settings: Record<string, string>): Promise<Server> {
  const file = fileURLToPath(new URL('server.ts', import.meta.url));
  const child = fork(file, { execArgv: ['--expose-gc'] });
  const remote = new Remote<ServerCalls>(child);
  const port = await remote.call('start', settings);
  const { pid } = child;
  if (pid === undefined) throw new Error('the server did not start');
  return {
    port,
    remote,
    residentMiB: () => residentBytes(pid) / 2 ** 20,
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const perRequest = 2_000;

/** Writes so many events, the numbers of which follow one another. @param eventAt told how many of them are before it */
export async function appendAll(
  log: Log,
  count: number,
  eventAt: (index: number) => BenchEvent,
): Promise<void> {
  for (let from = 0; from < count; from += perRequest) {
    const length = Math.min(perRequest, count - from);
    await log.append(Array.from({ length }, (_, index) => eventAt(from + index)));
  }
}
