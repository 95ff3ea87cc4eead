import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  isBlank,
  openBrace,
  openBracket,
  quote,
} from './json-tokens.ts';
import {
  lowerF,
  lowerN,
  lowerT,
  scalarEnd,
  smallInteger,
  spells,
  stringEnd,
} from './json-scalar.ts';
import { JsonShape, mostScalars } from './json-shape.ts';
import { arrayIndex, type Path } from './path.ts';

/** How a scan ended. */
export type ScanOutcome = 'valid' | 'invalid' | 'tooDeep';

/** A place in the tree of all paths that are looked for. */
interface Node {
  /** Its children's keys, and beside them the children. */
  readonly keys: string[];
  /** The keys as they stand between quotes if nothing in them is escaped; `null`: something must be. */
  readonly spellings: (Uint8Array | null)[];
  readonly children: Node[];
  /** The same keys as array indices; -1 for those that are none. */
  readonly indices: number[];
  /** Positions, among the paths, of those that end here. */
  readonly targets: number[];
  /** And of those that end here or below. */
  readonly below: number[];
}

const backslash = 0x5c;
const nothing = Buffer.alloc(0);
/** Stands for every array and object. */
const container: object = Object.freeze({});

/** Shapes that are known at a time. */
const mostShapes = 3;
/** Of so many texts without a known shape one is learnt, when the first ones have been in vain. */
const seldom = 1_024;

/**
 * Checks that UTF-8 is JSON (RFC 8259, exactly what `JSON.parse` accepts; whether it is UTF-8 at all is
 * for others to check) and finds the values at given
 * paths, in one pass and without making anything of what it passes over.
 *
 * Why not `JSON.parse`: three small values are wanted of each record. To build all the others, and to
 * have them collected again, takes several times as long as to read the text.
 *
 * Iterative, so that no depth of nesting can exhaust the stack. Of duplicate keys the last counts, as
 * it does for `JSON.parse`. One object for many texts: the answers are those of the last scan.
 */
export class JsonScanner {
  readonly #root: Node = emptyNode();
  readonly #maxDepth: number;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** Of each open container: its place, if one of the paths leads through it; of an array, its index. */
  readonly #nodes: (Node | undefined)[] = [];
  readonly #elements: number[] = [];
  #json: Buffer = nothing;
  #string = '';
  #isAscii = true;
  /** Of the last scan: start and end of each scalar but keys. */
  readonly #scalars = new Int32Array(mostScalars * 2 + 2);
  #scalarsLength = 0;
  /** The one that was met last first. */
  readonly #shapes: JsonShape[] = [];
  /** Texts of no known shape since one was learnt, and how many of them there are until the next is. */
  #unknown = 0;
  #learnAt = 1;

  /** @param maxDepth how deep arrays and objects may be nested */
  constructor(paths: readonly Path[], maxDepth: number) {
    for (const [target, path] of paths.entries()) addPath(this.#root, path, target);
    this.#maxDepth = maxDepth;
    this.#starts = new Int32Array(paths.length).fill(-1);
    this.#ends = new Int32Array(paths.length);
  }

  /** The text of the value at a path, if it is a scalar; `undefined`: there is nothing, or a container. */
  source(target: number): string | undefined {
    const start = this.#starts[target] ?? -1;
    const end = this.#ends[target] ?? 0;
    return start < 0 || end === start ? undefined : this.#text(start, end);
  }

  /**
   * The value at a path as `JSON.parse` reads it, but an empty object for arrays and objects;
   * `undefined`: there is nothing.
   */
  value(target: number): unknown {
    const start = this.#starts[target] ?? -1;
    if (start < 0) return undefined;
    const end = this.#ends[target] ?? 0;
    if (end === start) return container;
    switch (this.#json[start]) {
      case quote: {
        const content = this.#text(start + 1, end - 1);
        return content.includes('\\') ? JSON.parse(`"${content}"`) : content;
      }
      case lowerT:
        return true;
      case lowerF:
        return false;
      case lowerN:
        return null;
      default:
        return smallInteger(this.#json, start, end) ?? Number(this.#text(start, end));
    }
  }

  /**
   * Where the string at a path begins behind its quote, in bytes and text alike. Escapes may be in it. -1: there is
   * none, or the text is not plain ASCII.
   */
  stringStart(target: number): number {
    const start = this.#starts[target] ?? -1;
    return this.#isAscii && start >= 0 && this.#json[start] === quote ? start + 1 : -1;
  }

  /** Where it ends, before its quote; -1 where it has no start. */
  stringEnd(target: number): number {
    return this.stringStart(target) < 0 ? -1 : (this.#ends[target] ?? 0) - 1;
  }

  /** Of plain ASCII the text is at hand, at the same positions. */
  #text(start: number, end: number): string {
    return this.#isAscii ? this.#string.slice(start, end) : this.#json.toString('utf8', start, end);
  }

  /** @param string the same as text */
  scan(json: Buffer, string: string): ScanOutcome {
    this.#json = json;
    this.#string = string;
    this.#isAscii = json.length === string.length;
    if (this.#isOfKnownShape(json)) return 'valid';
    const outcome = this.#scan(json);
    if (outcome === 'valid') this.#learn(json);
    return outcome;
  }

  /** Lets go of the text, of which nothing can be asked any more. */
  release(): void {
    this.#json = nothing;
    this.#string = '';
  }

  #scan(json: Buffer): ScanOutcome {
    this.#starts.fill(-1);
    this.#scalarsLength = 0;
    let depth = 0;
    let node: Node | undefined = this.#root;
    let at = 0;

    while (true) {
      // A value begins here, at `node` if any path leads to it.
      at = afterBlanks(json, at);
      const first = json[at];
      let end: number;
      if (first === openBrace || first === openBracket) {
        depth += 1;
        if (depth > this.#maxDepth) return 'tooDeep';
        if (node !== undefined) this.#found(node, at, at);
        const inside: number = afterBlanks(json, at + 1);
        if (json[inside] === (first === openBrace ? closeBrace : closeBracket)) {
          depth -= 1;
          end = inside + 1;
        } else {
          this.#nodes[depth] = node;
          if (first === openBracket) {
            this.#elements[depth] = 0;
            node = node === undefined ? undefined : this.#element(node, 0);
            at = inside;
          } else {
            this.#elements[depth] = -1;
            const keyEnd = keyEndAt(json, inside);
            if (keyEnd < 0) return 'invalid';
            node = node === undefined ? undefined : this.#member(node, inside, keyEnd);
            at = afterColon(json, keyEnd);
            if (at < 0) return 'invalid';
          }
          continue;
        }
      } else {
        end = scalarEnd(json, at);
        if (end < 0) return 'invalid';
        if (node !== undefined) this.#found(node, at, end);
        this.#noteScalar(at, end);
      }

      // A value has ended: so may containers, or the next member or element begins.
      at = afterBlanks(json, end);
      while (depth > 0) {
        const parent: Node | undefined = this.#nodes[depth];
        const element: number = this.#elements[depth] ?? -1;
        const code = json[at];
        if (code === comma) {
          if (element >= 0) {
            this.#elements[depth] = element + 1;
            node = parent === undefined ? undefined : this.#element(parent, element + 1);
            at += 1;
          } else {
            at = afterBlanks(json, at + 1);
            const keyEnd = keyEndAt(json, at);
            if (keyEnd < 0) return 'invalid';
            node = parent === undefined ? undefined : this.#member(parent, at, keyEnd);
            at = afterColon(json, keyEnd);
            if (at < 0) return 'invalid';
          }
          break;
        }
        if (code !== (element >= 0 ? closeBracket : closeBrace)) return 'invalid';
        depth -= 1;
        at = afterBlanks(json, at + 1);
      }
      if (depth === 0) return at === json.length ? 'valid' : 'invalid';
    }
  }

  #isOfKnownShape(json: Buffer): boolean {
    const shapes = this.#shapes;
    for (let index = 0; index < shapes.length; index += 1) {
      const shape = shapes[index];
      if (!shape?.matches(json, this.#starts, this.#ends)) continue;
      if (index > 0) {
        shapes.splice(index, 1);
        shapes.unshift(shape);
      }
      return true;
    }
    return false;
  }

  #noteScalar(start: number, end: number): void {
    if (this.#scalarsLength > mostScalars * 2) return;
    this.#scalars[this.#scalarsLength] = start;
    this.#scalars[this.#scalarsLength + 1] = end;
    this.#scalarsLength += 2;
  }

  /** Of a text that has no known shape. */
  #learn(json: Buffer): void {
    this.#unknown += 1;
    if (this.#unknown < this.#learnAt || this.#scalarsLength > mostScalars * 2) return;
    this.#unknown = 0;
    // Where hardly two texts are alike, learning would be in vain: ever more seldom.
    this.#learnAt = Math.min(this.#learnAt * 2, seldom);
    const shape = new JsonShape(json, this.#scalars, this.#scalarsLength, this.#starts, this.#ends);
    this.#shapes.unshift(shape);
    if (this.#shapes.length > mostShapes) this.#shapes.pop();
  }

  #found(node: Node, start: number, end: number): void {
    const { targets } = node;
    for (let index = 0; index < targets.length; index += 1) {
      const target = targets[index] ?? 0;
      this.#starts[target] = start;
      this.#ends[target] = end;
    }
  }

  /** The place of a member, whose earlier namesake no longer counts. */
  #member(node: Node, keyStart: number, keyEnd: number): Node | undefined {
    const json = this.#json;
    const length = keyEnd - keyStart - 2;
    const { spellings } = node;
    for (let index = 0; index < spellings.length; index += 1) {
      const spelling = spellings[index] ?? null;
      if (spelling === null || spelling.length !== length) continue;
      if (spells(json, keyStart + 1, spelling)) return this.#enter(node.children[index]);
    }
    if (spellings.length === 0 || !holdsBackslash(json, keyStart, keyEnd)) return undefined;
    const index = node.keys.indexOf(JSON.parse(this.#text(keyStart, keyEnd)));
    return index < 0 ? undefined : this.#enter(node.children[index]);
  }

  #element(node: Node, element: number): Node | undefined {
    const index = node.indices.indexOf(element);
    return index < 0 ? undefined : this.#enter(node.children[index]);
  }

  #enter(node: Node | undefined): Node | undefined {
    if (node === undefined) return undefined;
    const { below } = node;
    for (let index = 0; index < below.length; index += 1) this.#starts[below[index] ?? 0] = -1;
    return node;
  }
}

function holdsBackslash(json: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (json[at] === backslash) return true;
  return false;
}

function spellingOf(key: string): Uint8Array | null {
  return JSON.stringify(key) === `"${key}"` ? Buffer.from(key) : null;
}

function emptyNode(): Node {
  return { keys: [], spellings: [], children: [], indices: [], targets: [], below: [] };
}

function addPath(root: Node, path: Path, target: number): void {
  let node = root;
  node.below.push(target);
  for (const segment of path) {
    let child = node.children[node.keys.indexOf(segment)];
    if (child === undefined) {
      child = emptyNode();
      node.keys.push(segment);
      node.spellings.push(spellingOf(segment));
      node.indices.push(arrayIndex(segment));
      node.children.push(child);
    }
    node = child;
    node.below.push(target);
  }
  node.targets.push(target);
}

/** The position behind a key that begins at `at`; -1: there is none. */
function keyEndAt(json: Uint8Array, at: number): number {
  return json[at] === quote ? stringEnd(json, at) : -1;
}

/** The position behind the colon that follows a key; -1: there is none. */
function afterColon(json: Uint8Array, keyEnd: number): number {
  const at = afterBlanks(json, keyEnd);
  return json[at] === colon ? at + 1 : -1;
}

/** The first position from `at` on that is no blank. */
function afterBlanks(json: Uint8Array, at: number): number {
  // Between most tokens there is none: everything else that JSON allows there is above the blanks.
  const first = json[at];
  if (first !== undefined && first > 0x20) return at;
  while (isBlank(json[at])) at += 1;
  return at;
}
