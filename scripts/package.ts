/**
 * `npm run package`: puts the npm package together in `dist/package`, for `npm pack` and `npm publish` of that folder.
 * It holds JavaScript with its types: Node runs no TypeScript within `node_modules`.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const target = join(root, 'dist/package');
/** Taken over as they are. */
const copied = [
  'schema',
  'millrace.example.yaml',
  'README.md',
  'ARCHITECTURE.md',
  'docs',
  'PROTOCOL.md',
  'SECURITY.md',
  'LICENSE',
];
/** What users of the package are told in its package.json. */
const kept = [
  'name',
  'version',
  'description',
  'license',
  'type',
  'engines',
  'dependencies',
] as const;

rmSync(target, { recursive: true, force: true });
run(join(root, 'node_modules/.bin/tsc'), ['--project', 'tsconfig.package.json']);
run(process.execPath, ['scripts/build-console.ts']);

// What is not TypeScript is read at run time, from beside the code.
for (const file of globSync('src/**/*.*', { cwd: root, exclude: (name) => name.endsWith('.ts') })) {
  const place = join(target, file.replace(/^src/, 'lib'));
  mkdirSync(dirname(place), { recursive: true });
  cpSync(join(root, file), place);
}
// The console is of the browser's.
rmSync(join(target, 'lib/console'), { recursive: true, force: true });
cpSync(join(root, 'dist/console'), join(target, 'dist/console'), { recursive: true });
for (const name of copied) cpSync(join(root, name), join(target, name), { recursive: true });

const own: Record<string, unknown> = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const packaged = {
  ...Object.fromEntries(kept.map((name) => [name, own[name]])),
  bin: compiled(own['bin']),
  exports: compiled(own['exports']),
  files: ['lib', 'dist', ...copied],
};
writeFileSync(join(target, 'package.json'), `${JSON.stringify(packaged, null, 2)}\n`);
chmodSync(join(target, 'lib/cli/main.js'), 0o755);

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Paths of sources as those of what was made of them. */
function compiled(entry: unknown, name = ''): unknown {
  if (typeof entry === 'string') {
    const extension = name === 'types' ? '.d.ts' : '.js';
    return entry.replace(
      /^\.\/src\/(.*)\.ts$/,
      (_path, file: string) => `./lib/${file}${extension}`,
    );
  }
  if (typeof entry !== 'object' || entry === null) return entry;
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [key, compiled(value, key)]),
  );
}
