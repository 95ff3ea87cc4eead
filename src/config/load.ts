import { readFileSync } from 'node:fs';
import type { Config, Written } from './config.ts';
import type { Environment } from './environment.ts';
import { type Problem, reasonOf } from './problem.ts';
import { type Reading, readSettings } from './read-settings.ts';
import { type Report, type Rule, rules, warningRules } from './rules.ts';
import { resolve } from './resolve.ts';
import { settings } from './schema.ts';
import { parseYaml, type YamlDocument } from './yaml-document.ts';

export interface ConfigSources {
  /** The YAML file; absent: defaults and environment alone. */
  readonly file?: string | undefined;
  readonly env: Environment;
}

export interface LoadedConfig {
  /** `null`: there are problems. */
  readonly config: Config | null;
  /** All of them, in the order of the table of settings where they concern one. */
  readonly problems: readonly Problem[];
  /** What is allowed but unlikely to be meant. */
  readonly warnings: readonly Problem[];
}

/** Reads the file, the environment, and the files that settings name. Never throws. */
export function loadConfig({ file, env }: ConfigSources): LoadedConfig {
  const document = readDocument(file);
  if (document.problems.length > 0) {
    return { config: null, problems: document.problems, warnings: [] };
  }
  const reading = readSettings(settings, document, env);
  // The type comes from the same table that `readSettings` has just checked every value against.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const written = reading.values as Written;
  const problems = [...reading.problems];
  const reportTo =
    (list: Problem[]): Report =>
    (path, message) => {
      // One problem with a setting is enough: what follows from it is no news.
      if (!reading.broken.has(path)) list.push({ path, message, where: reading.whereIs(path) });
    };
  check(rules, written, reading, reportTo(problems));
  const config = resolve(written, file, reportTo(problems));
  const warnings: Problem[] = [];
  check(warningRules, written, reading, reportTo(warnings));
  return { config: problems.length > 0 ? null : deepFreeze(config), problems, warnings };
}

function readDocument(file: string | undefined): YamlDocument {
  if (file === undefined) return { value: null, problems: [], lineOf: () => null };
  try {
    return parseYaml(readFileSync(file, 'utf8'), file);
  } catch (error) {
    const message = `cannot be read: ${reasonOf(error)}`;
    return { value: null, problems: [{ path: file, message, where: null }], lineOf: () => null };
  }
}

function check(checked: readonly Rule[], written: Written, reading: Reading, report: Report): void {
  for (const rule of checked) {
    if (!rule.reads.some((path) => reading.broken.has(path))) rule.check(written, report);
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
