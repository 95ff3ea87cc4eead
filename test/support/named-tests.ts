import { existsSync, readFileSync } from 'node:fs';

/** A test that a document names: the file in code, a colon, the test's title as it is written there. */
export interface NamedTest {
  /** From the root of the repository. */
  readonly path: string;
  readonly name: string;
}

const root = new URL('../../', import.meta.url);

/** The rows of the tables of a document, without their heads. */
export function tableRows(document: string): string[] {
  const lines = readFileSync(new URL(document, root), 'utf8').split('\n');
  return lines.filter((line, at) => {
    const isHead = lines[at + 1]?.startsWith('| --- ') ?? false;
    return line.startsWith('| ') && !line.startsWith('| --- ') && !isHead;
  });
}

/** The test that the last cell of a row names. */
export function namedTest(row: string): NamedTest | undefined {
  const [, path = '', name = ''] = / `(test\/[^`]+)`: (.+) \|$/.exec(row) ?? [];
  return path === '' ? undefined : { path, name };
}

/** What keeps it from being found; `undefined`: it is there. */
export function problemOf({ path, name }: NamedTest): string | undefined {
  const file = new URL(path, root);
  if (!existsSync(file)) return `${path} is not there`;
  const source = readFileSync(file, 'utf8');
  const isNamed = ["'", '"', '`'].some((quote) =>
    source.includes(`${quote}${name.replaceAll(quote, `\\${quote}`)}${quote}`),
  );
  // Scripts have their scenarios as methods.
  return isNamed || source.includes(`async ${name}(`) ? undefined : `${path} has no test "${name}"`;
}
