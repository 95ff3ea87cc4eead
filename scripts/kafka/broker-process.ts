import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines } from './command.ts';
import type { Guard } from './guard.ts';
import { until } from './until.ts';

export interface BrokerCommand {
  readonly java: string;
  readonly jvmOptions: readonly string[];
  readonly libsDir: string;
  readonly propertiesFile: string;
  /** Appended to, over all lives of the node. */
  readonly logFile: string;
}

/** The arguments of `java` for a class of the broker's jars. */
export function javaArgs(
  libsDir: string,
  jvmOptions: readonly string[],
  mainClass: string,
  args: readonly string[],
): string[] {
  return [...jvmOptions, '-cp', join(libsDir, '*'), mainClass, ...args];
}

/** What Linux says of a thread that has ended. */
const gone = new Set<unknown>(['ENOENT', 'ESRCH']);

/** Of a thread, by its number. For Linux. */
function isStopped(tasks: string): (task: string) => boolean {
  return (task) => {
    try {
      // Behind the name in brackets, which may hold anything.
      return /\) [Tt] [^)]*$/.test(readFileSync(join(tasks, task, 'stat'), 'utf8'));
    } catch (error) {
      // It has ended since it was listed: it does not run on either.
      const isGone = error instanceof Error && 'code' in error && gone.has(error.code);
      if (isGone) return true;
      throw error;
    }
  };
}

/** One life of one broker: a JVM. */
export class BrokerProcess {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  /** Where this life begins in the log, in bytes. */
  readonly #logStart: number;
  readonly #ended: Promise<void>;
  #startError: Error | null = null;

  constructor(command: BrokerCommand, guard: Guard) {
    this.#logFile = command.logFile;
    const log = openSync(command.logFile, 'a');
    this.#logStart = fstatSync(log).size;
    const jvmOptions = [
      ...command.jvmOptions,
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
      // Each start would print its 300 settings.
      '-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn',
    ];
    const args = javaArgs(command.libsDir, jvmOptions, 'kafka.Kafka', [command.propertiesFile]);
    // A group of its own: Ctrl-C is the parent's to act on, in its own order.
    this.#child = spawn(command.java, args, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    guard.watch(this.#child);
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', (error) => {
        this.#startError = error;
        resolve();
      });
    });
  }

  get running(): boolean {
    return (
      this.#startError === null && this.#child.exitCode === null && this.#child.signalCode === null
    );
  }

  /** Sends the signal and waits for the end. After `graceMs` SIGKILL follows. */
  async end(signal: 'SIGTERM' | 'SIGKILL', graceMs: number): Promise<void> {
    if (!this.running) return;
    // The wait is for this child, so it must hold the event loop even after `unref`.
    this.#child.ref();
    this.#child.kill(signal);
    // A stopped process takes no SIGTERM until it goes on.
    this.#child.kill('SIGCONT');
    const last = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#ended;
    clearTimeout(last);
  }

  /** SIGSTOP. Resolves when none of its threads runs on: on a busy machine some answer requests for a while. */
  async pause(): Promise<void> {
    this.#child.kill('SIGSTOP');
    const tasks = `/proc/${this.#child.pid}/task`;
    if (existsSync(tasks)) await until(async () => readdirSync(tasks).every(isStopped(tasks)));
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  unref(): void {
    this.#child.unref();
  }

  /** Resolves when it runs no more. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Why it is not up: its log from the first error on, else the end of it. */
  explain(): string {
    if (this.#startError !== null) return this.#startError.message;
    const log = readFileSync(this.#logFile).subarray(this.#logStart).toString();
    const lines = log.split('\n');
    const error = lines.findIndex((line) => line.includes(' ERROR '));
    const excerpt =
      error < 0
        ? lastLines(log, 20)
        : lines
            .slice(error, error + 12)
            .join('\n')
            .trimEnd();
    return `From ${this.#logFile}:\n${excerpt}`;
  }
}
