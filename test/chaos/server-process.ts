import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** How long a server may take to drain after SIGTERM, in milliseconds. */
const drainMs = 30_000;

/** One Millrace server, over several lives on the same port. */
export class ServerProcess {
  readonly url: string;
  /** What it logged at `warn` and above, over all lives. */
  readonly warnings: string[] = [];
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;

  /** @param env its settings, `MILLRACE_LISTEN_PORT` among them */
  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
    this.url = `http://127.0.0.1:${env['MILLRACE_LISTEN_PORT']}`;
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const around = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'));
    const child = spawn(process.execPath, [main, 'serve'], {
      env: { ...Object.fromEntries(around), ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    createInterface(child.stderr).on('line', (line) => {
      if (!line.includes('"level":30')) this.warnings.push(line);
    });
    const lines = createInterface(child.stdout);
    await Promise.race([
      once(lines, 'line'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`a server ended with ${code}: ${this.warnings.slice(-3).join('\n')}`);
      }),
    ]);
    lines.resume();
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
