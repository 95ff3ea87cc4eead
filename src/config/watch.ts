import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../observe/logger.ts';
import type { Config, ProjectConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { loadConfig } from './load.ts';
import { formatProblem } from './problem.ts';

export interface WatchOptions {
  readonly file: string;
  readonly env: Environment;
  /** The configuration in force. */
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called with the new list when `auth.projects` has changed. */
  readonly onProjects: (projects: readonly ProjectConfig[]) => void;
  /** Milliseconds of quiet after a change before the file is read. @default 100 */
  readonly quietMs?: number;
  /** Milliseconds between looks at the file, whether a change was notified or not. @default 2_000 */
  readonly pollMs?: number;
}

/**
 * Follows the configuration file. Only `auth` is applied; of other changed settings the log says that
 * they need a restart. A version with problems is logged and passed over.
 *
 * It is the directory that is watched: editors replace the file, and Kubernetes swaps a symbolic link
 * beside it. The file's text is compared at intervals as well, for file systems that notify of nothing.
 */
export class ConfigWatch {
  readonly #options: WatchOptions;
  readonly #watcher: FSWatcher | null;
  #config: Config;
  /** What the file said last, `null`: it could not be read. */
  #text: string | null = null;
  #quiet: Timer | null = null;
  #poll: Timer | null = null;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#watcher = this.#watchDirectory();
    // At once: the file may have changed between its reading and now.
    this.#look();
  }

  close(): void {
    this.#watcher?.close();
    this.#quiet?.cancel();
    this.#poll?.cancel();
    this.#poll = null;
  }

  #watchDirectory(): FSWatcher | null {
    const { file, logger } = this.#options;
    try {
      const watcher = watch(dirname(file), { persistent: false }, () => this.#changed());
      watcher.on('error', (err) => logger.warn({ err }, 'configuration: not notified of changes'));
      return watcher;
    } catch (err) {
      logger.warn({ err }, 'configuration: not notified of changes, looking at intervals only');
      return null;
    }
  }

  #changed(): void {
    this.#quiet?.cancel();
    this.#quiet = this.#options.clock.schedule(this.#options.quietMs ?? 100, () => this.#look());
  }

  #look(): void {
    this.#poll?.cancel();
    this.#poll = this.#options.clock.schedule(this.#options.pollMs ?? 2_000, () => this.#look());
    const text = readOrNull(this.#options.file);
    if (text === this.#text) return;
    this.#text = text;
    this.#reload();
  }

  #reload(): void {
    const { file, env, logger, onProjects } = this.#options;
    const { config, problems } = loadConfig({ file, env });
    if (config === null) {
      logger.error(
        { file, problems: problems.map(formatProblem) },
        'configuration: the new version has problems and is not applied',
      );
      return;
    }
    const former = this.#config;
    this.#config = config;
    // Compared with what runs, not with the version before: a change that was taken back needs nothing.
    const changed = changedSettings(this.#options.config, config);
    if (changed.length > 0) {
      logger.warn({ file, changed }, 'configuration: changed settings need a restart');
    }
    if (!isDeepStrictEqual(former.auth, config.auth)) {
      logger.info(
        { file, projects: config.auth.projects.length },
        'configuration: projects and keys applied',
      );
      onProjects(config.auth.projects);
    }
  }
}

/** Settings outside `auth` whose values differ, by their place in the typed configuration. */
function changedSettings(former: Config, now: Config): string[] {
  const changed: string[] = [];
  const before: Readonly<Record<string, object | number>> = { ...former };
  for (const [section, values] of Object.entries<object | number>({ ...now })) {
    if (section === 'auth') continue;
    if (typeof values === 'number') {
      if (values !== before[section]) changed.push(section);
      continue;
    }
    const old = new Map<string, unknown>(Object.entries(before[section] ?? {}));
    for (const [name, value] of Object.entries(values)) {
      if (!isDeepStrictEqual(comparable(value), comparable(old.get(name)))) {
        changed.push(`${section}.${name.replace(/Ms$/, '')}`);
      }
    }
  }
  return changed;
}

/** Without functions (the token of OAUTHBEARER), which are new at every reading. */
function comparable(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Why it cannot be read is reported where it is loaded.
    return null;
  }
}
