/**
 * Completes package-lock.json: `node scripts/complete-lock.ts [--check]`.
 *
 * Tools that are programs of their own (formatter, linter) come as one package for each platform. `npm
 * install` leaves those out of the lock that the registry at hand does not have, and `npm ci` then calls
 * the lock out of date, on every platform. This adds what is missing by name, version and platform.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];

const path = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock: { packages: Record<string, LockedPackage> } = JSON.parse(readFileSync(path, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([parent, { optionalDependencies, dev }]) =>
  Object.entries(optionalDependencies ?? {})
    .filter(([name]) => !isLocked(parent, name))
    .map(([name, version]): [string, LockedPackage] => [
      `node_modules/${name}`,
      platformPackage(name, version, dev === true),
    ]),
);

if (missing.length === 0) {
  console.log('package-lock.json is complete');
} else if (process.argv.includes('--check')) {
  const names = missing.map(([name]) => name).join('\n  ');
  console.error(`package-lock.json lacks these; run node scripts/complete-lock.ts:\n  ${names}`);
  process.exitCode = 1;
} else {
  const packages = { ...lock.packages, ...Object.fromEntries(missing) };
  const sorted = Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(
    path,
    `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`,
  );
  console.log(`added ${missing.length} packages of other platforms to package-lock.json`);
}

function isLocked(parent: string, name: string): boolean {
  return (
    `node_modules/${name}` in lock.packages || `${parent}/node_modules/${name}` in lock.packages
  );
}

function platformPackage(name: string, version: string, dev: boolean): LockedPackage {
  const parts = name.split(/[/-]/);
  const part = (known: readonly string[]): string[] =>
    known.filter((one) => parts.includes(one)).slice(0, 1);
  const libc = parts.some((one) => one.startsWith('musl')) ? 'musl' : 'glibc';
  const isGnu = parts.some((one) => one.startsWith('gnu'));
  return {
    version: version.replace(/^[~^]/, ''),
    cpu: part(processors),
    ...(dev ? { dev } : {}),
    ...(libc === 'musl' || isGnu ? { libc: [libc] } : {}),
    optional: true,
    os: part(systems),
  };
}
