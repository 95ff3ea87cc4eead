/** Something that is wrong with the configuration. */
export interface Problem {
  /** The setting (`kafka.brokers`, `auth.projects[0].id`), or the file itself. */
  readonly path: string;
  readonly message: string;
  /** Where it is written: `line 12`, or the environment variable; `null`: nowhere. */
  readonly where: string | null;
}

/** One line for people: `kafka.brokers: is missing (line 3)`. */
export function formatProblem({ path, message, where }: Problem): string {
  return `${path}: ${message}${where === null ? '' : ` (${where})`}`;
}

/** Keys and indexes as a path: `auth.projects[0].id`. */
export function formatPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    return path === '' ? String(segment) : `${path}.${String(segment)}`;
  }, '');
}

/** What was thrown, in words. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
