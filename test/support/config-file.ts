import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory that goes with the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A configuration file, and files beside it, in a directory that goes with the test. */
export function configFile(
  t: TestContext,
  yaml: string,
  beside: Readonly<Record<string, string>> = {},
): string {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'millrace.yaml');
  writeFileSync(file, yaml);
  for (const [name, content] of Object.entries(beside))
    writeFileSync(join(directory, name), content);
  return file;
}
