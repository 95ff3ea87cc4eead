import { isWritten } from './exact-json.ts';

/** A value in a payload, and the dotted path that leads there: what a filter calls it. */
export interface Leaf {
  readonly path: string;
  readonly text: string;
}

/** What stands beside a payload, and need not be read twice. */
export interface Beside {
  readonly id: string | null;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly sequence: string | null;
}

/** As many as a line has room for. */
const maxLeaves = 16;
/** Most characters of one. */
const maxLength = 80;
/** What lies deeper is shown as JSON. */
const maxDepth = 6;

/** What is in a payload, in its order; but other times, and the sender's number, come last: they say the least. */
export function leavesOf(payload: unknown, beside: Beside): Leaf[] {
  const leaves: Leaf[] = [];
  const last: Leaf[] = [];
  const atMs = Date.parse(beside.timestamp);
  const isBeside = (value: unknown): boolean =>
    typeof value === 'string'
      ? value === beside.id || (isTime.test(value) && Date.parse(value) === atMs)
      : value === atMs;
  const visit = (value: unknown, path: string, depth: number): void => {
    if (leaves.length + last.length === maxLeaves || isBeside(value)) return;
    if (!isBranch(value) || depth === maxDepth) {
      const text = textOf(value);
      const isLast = text === beside.sequence || isTime.test(text);
      (isLast ? last : leaves).push({ path, text: cut(text) });
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      visit(inner, path === '' ? key : `${path}.${key}`, depth + 1);
    }
  };
  visit(payload, '', 0);
  return [...leaves, ...last];
}

const isTime = /^\d{4}-\d\d-\d\dT/;

function isBranch(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !isWritten(value) && Object.keys(value).length > 0;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function cut(text: string): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
