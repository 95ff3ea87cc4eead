import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CommandOptions {
  /** Written to its standard input. @default nothing */
  readonly input?: string;
  /** In place of every `MILLRACE_` variable around. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line to its end. */
export async function millrace(
  t: TestContext,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = startMillrace(t, args, options);
  const ended = exitOf(child);
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}

/** Starts the command line; it is killed with the test if it is still there. */
export function startMillrace(
  t: TestContext,
  args: readonly string[],
  { env = {} }: CommandOptions = {},
): ChildProcessWithoutNullStreams {
  const around = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'));
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...Object.fromEntries(around), ...env },
    stdio: 'pipe',
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** The exit code; `null`: a signal ended it. */
export async function exitOf(child: ChildProcessWithoutNullStreams): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
}
