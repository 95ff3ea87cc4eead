import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { testProjects } from '../../../test/support/server.ts';
import { Remote } from '../remote.ts';
import type { ProbeCalls } from './probe.ts';

/** What the servers of the bench are, and how each is started. All read the same Kafka topic. */
const contestants = {
  /** Millrace as it is served, with its defaults but for what the matrix needs. */
  millrace: { file: '../../../src/cli/main.ts', args: () => ['serve'] },
  /** The same with two processes on one port. */
  'millrace-2': {
    file: '../../../src/cli/main.ts',
    args: () => ['serve'],
    settings: { MILLRACE_WORKERS: '2' },
  },
  /** What nobody can do without: see `minimal.ts`. */
  floor: { file: 'minimal.ts', args: minimal('raw') },
  'ws-send': { file: 'minimal.ts', args: minimal('ws-send') },
  /** What one builds from the usual parts: see `naive.ts`. */
  naive: { file: 'naive.ts', args: ({ brokers, topic }) => [brokers.join(), topic] },
  /** Connections and nothing else, for the comparison of memory. */
  'bare-ws': { file: 'bare-ws.ts', args: () => [] },
} as const satisfies Record<string, Program>;

export type ContestantName = keyof typeof contestants;

export interface Source {
  readonly brokers: readonly string[];
  /** Kafka's name; the project and its topic with a dot between. */
  readonly topic: string;
}

/** A server under test, in a process of its own. */
export interface Contestant {
  readonly pid: number;
  readonly port: number;
  readonly probe: Remote<ProbeCalls>;
  /** Ends it as it stands. */
  stop(): Promise<void>;
}

interface Program {
  readonly file: string;
  readonly args: (source: Source) => string[];
  readonly settings?: Readonly<Record<string, string>>;
}

const probeUrl = new URL('probe.ts', import.meta.url).href;

/** Resolves when it accepts connections: it then prints a line that ends in its port. */
export async function startContestant(name: ContestantName, source: Source): Promise<Contestant> {
  const { file, args, settings }: Program = contestants[name];
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args(source), {
    // Without warnings: yoga's pub/sub has more listeners than Node thinks wise.
    execArgv: ['--expose-gc', '--no-warnings', '--import', probeUrl],
    env: { ...process.env, ...millraceSettings(source), ...settings },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const port = await portOf(name, child);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start`);
  return {
    pid,
    port,
    probe: new Remote(child),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function portOf(name: string, { stdout }: ChildProcess): Promise<number> {
  if (stdout === null) throw new Error('no standard output');
  for await (const line of createInterface({ input: stdout })) {
    const port = /:(\d+)$/.exec(line)?.[1];
    if (port === undefined) continue;
    stdout.resume();
    return Number(port);
  }
  throw new Error(`${name} ended before it accepted connections`);
}

function minimal(delivery: 'raw' | 'ws-send') {
  return ({ brokers, topic }: Source): string[] => [delivery, brokers.join(), topic];
}

function millraceSettings({ brokers }: Source): Record<string, string> {
  return {
    MILLRACE_LISTEN_PORT: '0',
    MILLRACE_KAFKA_BROKERS: brokers.join(),
    MILLRACE_KAFKA_CREDENTIALS: 'service',
    MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
    MILLRACE_AUTH_PROJECTS: JSON.stringify(testProjects),
    MILLRACE_LIMITS_SUBSCRIPTIONS_PER_CONNECTION: '20000',
    MILLRACE_LOG_LEVEL: 'error',
  };
}
