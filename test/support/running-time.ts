import { cpuUsage } from 'node:process';

/** How often it is looked whether the process runs, and how late that may be on a machine that has nothing else to do. */
const [everyMs, mostLateMs] = [10, 10];

/**
 * How long this process has run since it was made: what the product promises of time is held to that. On a busy
 * machine a process stands still for seconds, which is nobody's fault; on another one this is the time that has passed.
 * What the process itself computes counts in any case.
 */
export class RunningTime {
  #lastMs = performance.now();
  #lastCpu = cpuUsage();
  #ms = 0;
  #longestStandstillMs = 0;

  constructor() {
    setInterval(() => this.#look(), everyMs).unref();
  }

  /** In milliseconds. */
  get ms(): number {
    this.#look();
    return this.#ms;
  }

  /** For how long it did not run at one time, in milliseconds. */
  get longestStandstillMs(): number {
    this.#look();
    return this.#longestStandstillMs;
  }

  #look(): void {
    const nowMs = performance.now();
    const { user, system } = cpuUsage(this.#lastCpu);
    const computedMs = (user + system) / 1_000;
    const passedMs = nowMs - this.#lastMs;
    const ranMs = Math.min(passedMs, Math.max(everyMs + mostLateMs, computedMs));
    this.#ms += ranMs;
    this.#longestStandstillMs = Math.max(this.#longestStandstillMs, passedMs - ranMs);
    this.#lastMs = nowMs;
    this.#lastCpu = cpuUsage();
  }
}
