import { ownVariables, readVariable, variableName, type Environment } from './environment.ts';
import { formatPath, type Problem } from './problem.ts';
import type { Section, Setting, Settings } from './setting.ts';
import { nearest, unknownName } from './nearest.ts';
import type { YamlDocument } from './yaml-document.ts';

/** What a table of settings reads out of a file and the environment. */
export interface Reading {
  /** Complete: a value that cannot be used is replaced by its default. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];
  /** Settings whose value could not be used. */
  readonly broken: ReadonlySet<string>;
  /** Where a setting is written: its line, or its variable. */
  readonly whereIs: (path: string) => string | null;
}

export function readSettings(
  table: Settings,
  document: YamlDocument,
  environment: Environment,
): Reading {
  const reader = new SettingsReader(table, document, ownVariables(environment));
  const values = reader.section(table, document.value, []);
  reader.refuseUnknownVariables();
  return {
    values,
    problems: reader.problems,
    broken: reader.broken,
    whereIs: (path) => reader.whereIs(parsePath(path)),
  };
}

/** Paths of all settings and of the sections around them. */
export function knownPaths(table: Settings, prefix = ''): string[] {
  const paths: string[] = [];
  for (const [name, node] of Object.entries(table)) {
    const path = `${prefix}${name}`;
    paths.push(path);
    if (node.kind === 'section') paths.push(...knownPaths(node.settings, `${path}.`));
  }
  return paths;
}

class SettingsReader {
  readonly problems: Problem[] = [];
  readonly broken = new Set<string>();
  readonly #document: YamlDocument;
  readonly #variables: ReadonlyMap<string, string>;
  readonly #known: readonly string[];
  readonly #knownVariables = new Set<string>();

  constructor(table: Settings, document: YamlDocument, variables: ReadonlyMap<string, string>) {
    this.#document = document;
    this.#variables = variables;
    this.#known = knownPaths(table);
  }

  section(table: Settings, written: unknown, path: readonly string[]): Record<string, unknown> {
    const entries = this.#entriesOf(written, path);
    for (const name of Object.keys(entries)) {
      if (Object.hasOwn(table, name)) continue;
      const unknown = [...path, name];
      this.#report(unknown, unknownName(formatPath(unknown), this.#known));
    }
    const values: Record<string, unknown> = {};
    for (const [name, node] of Object.entries(table)) {
      const inner = [...path, name];
      const value = Object.hasOwn(entries, name) ? entries[name] : undefined;
      if (node.kind === 'setting') {
        values[`${name}${node.type.suffix}`] = this.#setting(node, value, inner);
      } else if (node.switch === null) {
        values[name] = this.section(node.settings, value, inner);
      } else {
        values[name] = this.#switchable(node, node.switch.default, value, inner);
      }
    }
    return values;
  }

  /** Call last: a variable is known once its setting was read. */
  refuseUnknownVariables(): void {
    const known = [...this.#knownVariables];
    for (const name of this.#variables.keys()) {
      if (this.#knownVariables.has(name)) continue;
      const message = `is not the variable of any setting; the nearest is ${nearest(name, known) ?? ''}`;
      this.problems.push({ path: name, message, where: 'environment' });
    }
  }

  whereIs(path: readonly PropertyKey[]): string | null {
    const variable = variableName(settingOf(path));
    if (this.#variables.has(variable)) return variable;
    const line = this.#document.lineOf(path);
    return line === null ? null : `line ${line}`;
  }

  #setting(node: Setting<unknown>, written: unknown, path: readonly string[]): unknown {
    const variable = variableName(path.join('.'));
    this.#knownVariables.add(variable);
    const override = this.#variables.get(variable);
    let value = written;
    if (override !== undefined) {
      try {
        value = readVariable(override, node.type);
      } catch (error) {
        this.#report(path, error instanceof Error ? error.message : String(error), variable);
        return node.default;
      }
    }
    if (value === undefined) return node.default;
    if (value === null) return node.whenEmpty;
    const result = node.type.schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const keys = issue.code === 'unrecognized_keys' && issue.keys.length === 1 ? issue.keys : [];
      const place = [...path, ...issue.path, ...keys];
      this.#report(place, issue.message, override === undefined ? undefined : variable);
    }
    this.broken.add(path.join('.'));
    return node.default;
  }

  /** `true`, `false` or a mapping; a variable of one of its settings switches it on as well. */
  #switchable(
    node: Section,
    onByDefault: boolean,
    written: unknown,
    path: readonly string[],
  ): Record<string, unknown> | false {
    const variable = variableName(path.join('.'));
    this.#knownVariables.add(variable);
    const override = this.#variables.get(variable);
    const isSwitch = typeof written === 'boolean' || written === undefined || written === null;
    if (!isSwitch && !isMapping(written)) {
      this.#report(path, 'expected true, false or a mapping of settings');
    }
    const mapping = isMapping(written) ? written : undefined;
    const on =
      override === undefined
        ? this.#isAnySet(node, path) || (written ?? onByDefault) !== false
        : override !== 'false';
    if (override !== undefined && override !== 'true' && override !== 'false') {
      this.#report(path, 'expected true or false', variable);
    }
    const values = this.section(node.settings, mapping, path);
    return on ? values : false;
  }

  #isAnySet(node: Section, path: readonly string[]): boolean {
    return knownPaths(node.settings, `${path.join('.')}.`).some((inner) =>
      this.#variables.has(variableName(inner)),
    );
  }

  #entriesOf(written: unknown, path: readonly string[]): Readonly<Record<string, unknown>> {
    if (written === undefined || written === null) return {};
    if (isMapping(written)) return written;
    this.#report(path, 'expected a mapping of settings');
    return {};
  }

  #report(path: readonly PropertyKey[], message: string, variable?: string): void {
    const line = this.#document.lineOf(path);
    const where = variable ?? (line === null ? null : `line ${line}`);
    this.problems.push({ path: formatPath(path) || 'the file', message, where });
    this.broken.add(settingOf(path));
  }
}

/** The way to the setting itself, without the way into a list that is its value. */
function settingOf(path: readonly PropertyKey[]): string {
  const inside = path.findIndex((segment) => typeof segment === 'number');
  return path.slice(0, inside < 0 ? path.length : inside).join('.');
}

/** The inverse of `formatPath`, for paths of settings. */
function parsePath(path: string): PropertyKey[] {
  return path.match(/[^.[\]]+/g)?.map((part) => (/^\d+$/.test(part) ? Number(part) : part)) ?? [];
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
