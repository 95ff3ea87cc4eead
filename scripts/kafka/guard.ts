import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Socket as NetSocket } from 'node:net';
import { fileURLToPath } from 'node:url';

const watchdogFile = fileURLToPath(new URL('watchdog.ts', import.meta.url));

/**
 * Sees to it that nothing started under it outlives this process: a second process holds the list
 * of what is running and ends it when this one is gone, even by SIGKILL.
 */
export class Guard {
  readonly #watchdog: ChildProcess;
  readonly #pipe: ChildProcess['stdin'];

  constructor() {
    // A group of its own, so that Ctrl-C reaches the parent only.
    this.#watchdog = spawn(process.execPath, [watchdogFile], {
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.#pipe = this.#watchdog.stdin;
  }

  /** Watches over a child until it ends. */
  watch(child: ChildProcess): void {
    const { pid } = child;
    if (pid === undefined) return;
    this.#tell(`run ${pid}`);
    child.once('exit', () => this.#tell(`ended ${pid}`));
  }

  /** Removes the folder when all is over. */
  removeAtEnd(folder: string): void {
    this.#tell(`remove ${folder}`);
  }

  /** Lets the event loop end while the watchdog still runs. */
  unref(): void {
    this.#watchdog.unref();
    if (this.#pipe instanceof NetSocket) (this.#pipe satisfies Socket).unref();
  }

  /** Ends what is running and removes the folders; resolves when that is done. */
  async release(): Promise<void> {
    if (this.#watchdog.exitCode !== null) return;
    const gone = once(this.#watchdog, 'exit');
    this.#watchdog.ref();
    this.#pipe?.end();
    await gone;
  }

  #tell(fact: string): void {
    if (this.#pipe?.writable === true) this.#pipe.write(`${fact}\n`);
  }
}
