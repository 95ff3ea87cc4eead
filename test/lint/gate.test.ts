import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Finding {
  readonly code: string;
  readonly filename: string;
}

/** Lints the bad fixtures with the project's own rules; answers `file rule` for each finding. */
function lintFixtures(folder: string): Promise<Set<string>> {
  cpSync(join(root, 'test/lint/fixtures'), folder, { recursive: true });
  // Relative paths of the project's configuration would ignore its own fixtures.
  const {
    ignorePatterns: _,
    $schema: __,
    ...rules
  } = JSON.parse(readFileSync(join(root, '.oxlintrc.json'), 'utf8'));
  writeFileSync(join(folder, '.oxlintrc.json'), JSON.stringify(rules));
  const {
    include: _include,
    exclude: _exclude,
    ...compiler
  } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  compiler.compilerOptions.types = [];
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(compiler));
  const { promise, resolve, reject } = Promise.withResolvers<Set<string>>();
  execFile(
    join(root, 'node_modules/.bin/oxlint'),
    ['--type-aware', '--format', 'json'],
    { cwd: folder },
    (_error, stdout) => {
      try {
        const { diagnostics }: { diagnostics: Finding[] } = JSON.parse(stdout);
        resolve(new Set(diagnostics.map(({ filename, code }) => `${filename} ${code}`)));
      } catch (error) {
        reject(error);
      }
    },
  );
  return promise;
}

test('the lint gate fires on imports against the flow, cycles, floating promises and missing cases', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-lint-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const findings = await lintFixtures(folder);
  for (const expected of [
    'src/console/imports-hub.ts eslint(no-restricted-imports)',
    'src/core/imports-kafka.ts eslint(no-restricted-imports)',
    'src/observe/imports-hub.ts eslint(no-restricted-imports)',
    'src/kafka/imports-hub.ts eslint(no-restricted-imports)',
    'src/decode/imports-sequence.ts eslint(no-restricted-imports)',
    'src/sequence/imports-hub.ts eslint(no-restricted-imports)',
    'src/config/imports-auth.ts eslint(no-restricted-imports)',
    'src/auth/imports-hub.ts eslint(no-restricted-imports)',
    'src/hub/imports-transports.ts eslint(no-restricted-imports)',
    'src/transports/imports-cli.ts eslint(no-restricted-imports)',
    'src/client/imports-core.ts eslint(no-restricted-imports)',
    'src/transports/cycle-a.ts import(no-cycle)',
    'src/hub/deliver.ts typescript(no-floating-promises)',
    'src/hub/deliver.ts typescript(switch-exhaustiveness-check)',
  ]) {
    assert.ok(findings.has(expected), `${expected}\nfound:\n${[...findings].join('\n')}`);
  }
});
