import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../observe/logger.ts';

export interface FileWatchOptions {
  readonly files: readonly string[];
  /** What they are, for the log. */
  readonly what: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called at first, and whenever what stands in one of them has changed. */
  readonly onChange: () => void;
  /** Milliseconds of quiet after a change before the files are read. @default 100 */
  readonly quietMs?: number;
  /** Milliseconds between looks at the files, whether a change was notified or not. @default 2_000 */
  readonly pollMs?: number;
}

/**
 * Follows files. It is their directories that are watched: editors replace a file, and Kubernetes swaps a
 * symbolic link beside it. The texts are compared at intervals as well, for file systems that notify of
 * nothing.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watchers: readonly FSWatcher[];
  /** What they said last; `null` in it: one could not be read. */
  #texts: readonly (string | null)[] = [];
  #quiet: Timer | null = null;
  #poll: Timer | null = null;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    const directories = new Set(options.files.map((file) => dirname(file)));
    this.#watchers = [...directories].flatMap((directory) => this.#watch(directory));
    // At once: they may have changed between their first reading and now.
    this.#look();
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#quiet?.cancel();
    this.#poll?.cancel();
    this.#poll = null;
  }

  #watch(directory: string): FSWatcher[] {
    const { what, logger } = this.#options;
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#changed());
      watcher.on('error', (err) => logger.warn({ err }, `${what}: not notified of changes`));
      return [watcher];
    } catch (err) {
      logger.warn({ err }, `${what}: not notified of changes, looking at intervals only`);
      return [];
    }
  }

  #changed(): void {
    this.#quiet?.cancel();
    this.#quiet = this.#options.clock.schedule(this.#options.quietMs ?? 100, () => this.#look());
  }

  #look(): void {
    const { files, clock, pollMs = 2_000, onChange } = this.#options;
    this.#poll?.cancel();
    this.#poll = clock.schedule(pollMs, () => this.#look());
    const texts = files.map(readOrNull);
    if (isDeepStrictEqual(texts, this.#texts)) return;
    this.#texts = texts;
    onChange();
  }
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Why it cannot be read is reported where it is loaded.
    return null;
  }
}
