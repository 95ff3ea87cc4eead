import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from '../support/until.ts';
import type { FlooderOptions, FloodReport, FloodState } from './flooder.ts';

const flooder = fileURLToPath(new URL('./flooder.ts', import.meta.url));

/** A tenant that floods, in a process of its own: what it costs to write and to read so much is not the measuring one's. */
export class Flooding {
  readonly #child: ChildProcess;
  #last: FloodReport = { state: 'rest', received: 0, anomalies: 0 };

  constructor(options: FlooderOptions) {
    this.#child = fork(flooder, [JSON.stringify(options)]);
    this.#child.on('message', (report: FloodReport) => {
      this.#last = report;
    });
  }

  /** As it was told last, a fifth of a second ago at the most. */
  get last(): FloodReport {
    return this.#last;
  }

  /** Resolves when it is so; for `flood`, when all of its clients may have got something. */
  async become(state: FloodState): Promise<void> {
    const { received } = this.#last;
    this.#child.send(state);
    await until(`the flood to be ${state}`, () => this.#last.state === state);
    if (state !== 'flood') return;
    await until('the flood to come', () => this.#last.received > received + 100);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
