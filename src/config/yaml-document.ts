import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Problem } from './problem.ts';

/** A parsed configuration file that still knows on which line everything stands. */
export interface YamlDocument {
  /** `null`: the file is empty. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** The line, from 1, of the deepest part of the path that is written. */
  lineOf(path: readonly PropertyKey[]): number | null;
}

export function parseYaml(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    path: file,
    message,
    where: `line ${lines.linePos(pos[0]).line}`,
  }));
  if (problems.length > 0) return { value: null, problems, lineOf: () => null };
  let value: unknown;
  try {
    value = document.toJS();
    JSON.stringify(value);
  } catch {
    // Nothing else is left that could go wrong in text without errors.
    const message = 'an alias (*name) refers to what it is part of, or there are too many';
    return { value: null, problems: [{ path: file, message, where: null }], lineOf: () => null };
  }

  return {
    value,
    problems,
    lineOf(path) {
      const offset = offsetOf(document.contents, path);
      return offset === null ? null : lines.linePos(offset).line;
    },
  };
}

function offsetOf(root: Node | null, path: readonly PropertyKey[]): number | null {
  let offset: number | null = null;
  let node: unknown = root;
  for (const segment of path) {
    if (isMap<Node, Node | null>(node)) {
      const pair = node.items.find(({ key }) => String(key) === String(segment));
      if (pair === undefined) break;
      offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq<Node>(node) && typeof segment === 'number') {
      const item = node.items[segment];
      if (item === undefined) break;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      break;
    }
  }
  return offset;
}
