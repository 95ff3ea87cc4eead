import { isObject } from '../core/json.ts';

/** Where a property lies in a JSON document: one key or array index per level, outermost first. */
export type Path = readonly string[];

/**
 * Splits a dotted path: `keen.id` is the member `id` of the member `keen`, `items.0.name` goes
 * through an array.
 *
 * Every dot separates. There is no second try with the whole text as one key: which of the two a
 * record had would then decide what a filter means. A key that contains a dot is written with a
 * backslash before it (`keen\.id`), a backslash before a dot likewise (`\\`); any other backslash
 * stands for itself.
 */
export function parsePath(dotted: string): Path {
  const path: string[] = [];
  let segment = '';
  for (let at = 0; at < dotted.length; at += 1) {
    const character = dotted.charAt(at);
    const next = dotted.charAt(at + 1);
    if (character === '\\' && (next === '.' || next === '\\')) {
      segment += next;
      at += 1;
    } else if (character === '.') {
      path.push(segment);
      segment = '';
    } else {
      segment += character;
    }
  }
  path.push(segment);
  return path;
}

/** What keeps a text from being a path, for whoever wrote it; `undefined`: nothing. */
export function pathProblem(dotted: string): string | undefined {
  // The key `""` cannot be written: whoever seems to mean it has mistyped, and would find nothing.
  if (!parsePath(dotted).includes('')) return undefined;
  return 'expected names with one dot between them, such as user.id (a dot within a name is written \\.)';
}

/**
 * The value at `path`, `undefined` if there is none (JSON itself has no `undefined`). Own properties
 * only: `__proto__` and `constructor` are keys like any other. Of an array only elements can be
 * reached, not its `length`; of a string nothing.
 */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const segment of path) {
    if (!isObject(value)) return undefined;
    if (Array.isArray(value) && arrayIndex(segment) < 0) return undefined;
    if (!Object.hasOwn(value, segment)) return undefined;
    value = value[segment];
  }
  return value;
}

/** The array index that a segment denotes, written as JavaScript writes it (`7`, not `07`); else -1. */
export function arrayIndex(segment: string): number {
  const index = Number(segment);
  return Number.isSafeInteger(index) && index >= 0 && String(index) === segment ? index : -1;
}
