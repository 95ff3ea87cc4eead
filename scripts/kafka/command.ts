import { execFile } from 'node:child_process';

/** How a command ended. `missing`: no such program, or it may not be run. */
export type CommandResult =
  | { readonly outcome: 'ended'; readonly exitCode: number; readonly output: string }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'timed-out' };

export interface CommandOptions {
  readonly cwd?: string;
  /** @default 120_000 */
  readonly timeoutMs?: number;
}

/** Runs a program without a shell. Never rejects; injected in unit tests. */
export type RunCommand = (
  program: string,
  args: readonly string[],
  options?: CommandOptions,
) => Promise<CommandResult>;

/** `output` is standard output followed by standard error: `java -version` prints to the latter. */
export const runCommand: RunCommand = (program, args, { cwd, timeoutMs = 120_000 } = {}) =>
  new Promise((resolve) => {
    const settings = { cwd, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 };
    execFile(program, args, settings, (error, stdout, stderr) => {
      const output = stdout + stderr;
      if (error === null) resolve({ outcome: 'ended', exitCode: 0, output });
      else if (typeof error.code === 'number')
        resolve({ outcome: 'ended', exitCode: error.code, output });
      else if (error.killed === true) resolve({ outcome: 'timed-out' });
      else if (error.code === 'ENOENT' || error.code === 'EACCES') resolve({ outcome: 'missing' });
      else resolve({ outcome: 'ended', exitCode: 1, output: `${output}${error.message}` });
    });
  });

/** The last lines of a program's output, for a message; without the frames of Java stack traces. */
export function lastLines(output: string, count: number): string {
  const lines = output.split('\n').filter((line) => !line.startsWith('\tat '));
  return lines.join('\n').trimEnd().split('\n').slice(-count).join('\n');
}
