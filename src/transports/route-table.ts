/** What serves a path, and what stood in the place of the pattern's names. */
export interface Found<Served> {
  readonly served: Served;
  /** As they are written, in their order. */
  readonly segments: readonly string[];
}

/**
 * What is served where. A pattern is a path in which a name in braces stands for any one segment that is
 * not empty: `/feeds/{topic}`.
 */
export class RouteTable<Served> {
  readonly #routes: readonly (readonly [pattern: readonly string[], served: Served])[];
  /** For people. */
  readonly patterns: readonly string[];

  constructor(routes: Iterable<readonly [pattern: string, served: Served]>) {
    const entries = [...routes];
    this.patterns = entries.map(([pattern]) => pattern);
    this.#routes = entries.map(([pattern, served]) => [pattern.split('/'), served]);
  }

  find(path: string): Found<Served> | undefined {
    const asked = path.split('/');
    for (const [pattern, served] of this.#routes) {
      const segments = match(pattern, asked);
      if (segments !== undefined) return { served, segments };
    }
    return undefined;
  }
}

function match(pattern: readonly string[], asked: readonly string[]): string[] | undefined {
  if (pattern.length !== asked.length) return undefined;
  const segments: string[] = [];
  for (const [index, part] of pattern.entries()) {
    const segment = asked[index] ?? '';
    if (!part.startsWith('{')) {
      if (part !== segment) return undefined;
    } else if (segment === '') return undefined;
    else segments.push(segment);
  }
  return segments;
}
