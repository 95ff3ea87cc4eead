import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Guard } from '../../scripts/kafka/guard.ts';

/** What this process leaves behind, however it ends, is ended. */
let guard: Guard | undefined;

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** How long a server may take to drain after SIGTERM, in milliseconds. */
const drainMs = 30_000;

export interface ProcessOptions {
  /** Options of Node, such as `--max-old-space-size=64`. @default none */
  readonly nodeOptions?: readonly string[];
  /** Files and sockets that it may have open at a time. @default what this process may */
  readonly maxOpenFiles?: number;
  /** A module that is loaded before the server's own and answers this process. @default none */
  readonly probe?: URL;
}

/** One Millrace server, over several lives on the same port. */
export class ServerProcess {
  readonly url: string;
  /** What it logged at `warn` and above, over all lives. */
  readonly warnings: string[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;

  /** @param env its settings, `MILLRACE_LISTEN_PORT` among them */
  constructor(env: Readonly<Record<string, string>>, options: ProcessOptions = {}) {
    this.#env = env;
    this.#options = options;
    this.url = `http://127.0.0.1:${env['MILLRACE_LISTEN_PORT']}`;
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const around = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'));
    const { nodeOptions = [], maxOpenFiles, probe } = this.#options;
    const loaded = probe === undefined ? [] : [`--import=${probe.href}`];
    const command = [process.execPath, ...nodeOptions, ...loaded, main, 'serve'];
    const [program = '', ...args] =
      maxOpenFiles === undefined
        ? command
        : ['sh', '-c', `ulimit -n ${maxOpenFiles} && exec "$@"`, 'sh', ...command];
    const child = spawn(program, args, {
      env: { ...Object.fromEntries(around), ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe', ...(probe === undefined ? [] : ['ipc' as const])],
    });
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('a server without its pipes');
    this.#child = child;
    if (guard === undefined) {
      guard = new Guard();
      guard.unref();
    }
    guard.watch(child);
    createInterface(stderr).on('line', (line) => {
      if (!line.includes('"level":"info"')) this.warnings.push(line);
    });
    const lines = createInterface(stdout);
    await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`a server ended with ${code}: ${this.warnings.slice(-3).join('\n')}`);
      }),
    ]);
    lines.resume();
  }

  /** That of its present life. @throws when it has none */
  get process(): ChildProcess {
    if (this.#child === undefined) throw new Error('the server does not run');
    return this.#child;
  }

  /** Whether it is there, for all that is known here. */
  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM. @returns how long it took, in milliseconds. @throws when it does not end in time */
  async terminate(): Promise<number> {
    const startedAtMs = performance.now();
    const code = await this.#end('SIGTERM');
    const tookMs = performance.now() - startedAtMs;
    if (code !== 0 || tookMs > drainMs) {
      throw new Error(
        `after SIGTERM a server ended with ${String(code)} in ${Math.round(tookMs)} ms`,
      );
    }
    return tookMs;
  }

  /** A metric, summed up over its labels; 0: it is not there, or the server is not. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`${this.url}/metrics`).catch(() => undefined);
    const text = (await response?.text()) ?? '';
    const lines = text.split('\n').filter((line) => /^\w+/.exec(line)?.[0] === name);
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** How much of the machine's memory it has. For Linux. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<unknown> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return child?.exitCode;
    const ended = once(child, 'exit');
    const last = setTimeout(() => child.kill('SIGKILL'), drainMs + 5_000);
    child.kill(signal);
    const [code] = await ended;
    clearTimeout(last);
    return code;
  }
}
