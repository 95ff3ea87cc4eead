import { isDeepStrictEqual } from 'node:util';
import type { Clock, Timer } from '../core/clock.ts';
import type { Logger } from '../observe/logger.ts';
import type { Config, ProjectConfig } from './config.ts';
import type { Environment } from './environment.ts';
import { FileWatch } from './file-watch.ts';
import { loadConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import { checkIsolation } from './rules.ts';

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
 * they need a restart. A version with problems is logged and not applied. It is read again at intervals: what is
 * wrong may be in a file that it names, such as a key that is being replaced beside its certificate, and it may
 * revoke somebody.
 */
export class ConfigWatch {
  readonly #options: WatchOptions;
  readonly #files: FileWatch;
  #config: Config;
  /** What was wrong with the version that was read last. */
  #problems: readonly string[] = [];
  /** Settings of the last version in order that need a restart. */
  #changed: readonly string[] = [];
  /** Ids of the projects that were applied last. */
  #applied: ReadonlySet<string>;
  #again: Timer | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#applied = idsOf(options.config.auth.projects);
    const { file, clock, logger, quietMs, pollMs } = options;
    this.#files = new FileWatch({
      files: [file],
      what: 'configuration',
      clock,
      logger,
      onChange: () => this.#reload(),
      ...(quietMs === undefined ? {} : { quietMs }),
      ...(pollMs === undefined ? {} : { pollMs }),
    });
  }

  close(): void {
    this.#files.close();
    this.#again?.cancel();
  }

  #reload(): void {
    const { file, env, clock, logger, pollMs = 2_000 } = this.#options;
    this.#again?.cancel();
    const { config, ...loaded } = loadConfig({ file, env });
    const problems = loaded.problems.map(formatProblem);
    const areNew = !isDeepStrictEqual(problems, this.#problems);
    const wasAmiss = this.#problems.length > 0 || this.#changed.length > 0;
    this.#problems = problems;
    if (config === null) {
      this.#again = clock.schedule(pollMs, () => this.#reload());
      if (areNew) {
        logger.error(
          { file, problems },
          'configuration: the new version has problems and is not applied',
        );
      }
      return;
    }
    const former = this.#config;
    this.#config = config;
    // Compared with what runs, not with the version before: a change that was taken back needs nothing.
    const changed = changedSettings(this.#options.config, config);
    this.#changed = changed;
    if (changed.length > 0) {
      logger.warn({ file, changed }, 'configuration: changed settings need a restart');
    }
    if (!isDeepStrictEqual(former.auth, config.auth)) this.#apply(config.auth.projects);
    if (wasAmiss && changed.length === 0) {
      logger.info({ file }, 'configuration: the file is in order and matches what is in force');
    }
  }

  /**
   * The new version is in order by itself, but it is the former settings that are in force: what they do not keep apart
   * must not be let in with them. What was there before is changed or revoked all the same.
   */
  #apply(projects: readonly ProjectConfig[]): void {
    const { file, logger, config, onProjects } = this.#options;
    const problems: string[] = [];
    checkIsolation(config.kafka, projects, (path, message) => {
      problems.push(formatProblem({ path, message, where: null }));
    });
    const applied =
      problems.length === 0 ? projects : projects.filter(({ id }) => this.#applied.has(id));
    if (problems.length > 0) {
      logger.error(
        { file, problems },
        'configuration: new projects are not applied before a restart, as the settings in force would not keep them apart',
      );
    }
    this.#applied = idsOf(applied);
    logger.info({ file, projects: applied.length }, 'configuration: projects and keys applied');
    onProjects(applied);
  }
}

function idsOf(projects: readonly ProjectConfig[]): ReadonlySet<string> {
  return new Set(projects.map(({ id }) => id));
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
