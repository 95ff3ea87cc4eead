/** Puts the console's scripts and styles together, where the server reads them: `npm run build:console`. */
import { accessSync, constants, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Why what an earlier build has left cannot be replaced; `null`: it can, or there is none. */
function refusalToReplace(): string | null {
  const files = ['console.js', 'console.css'].map((name) => pathOf(`../dist/console/${name}`));
  if (!files.every((file) => existsSync(file))) return null;
  try {
    for (const path of [pathOf('../dist/console/'), ...files]) accessSync(path, constants.W_OK);
    return null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}

const refusal = refusalToReplace();
if (refusal !== null && process.argv.includes('--or-keep')) {
  process.stderr.write(
    `The console is that of an earlier build: cannot write to dist/console (${refusal}).\n`,
  );
  process.exit();
}

await build({
  entryPoints: { console: pathOf('../src/console/main.ts') },
  outdir: pathOf('../dist/console/'),
  bundle: true,
  format: 'esm',
  minify: true,
  legalComments: 'external',
  target: ['chrome120', 'firefox120', 'safari17.2'],
  logLevel: 'warning',
});
await build({
  entryPoints: { console: pathOf('../src/console/console.css') },
  outdir: pathOf('../dist/console/'),
  bundle: true,
  minify: true,
  legalComments: 'external',
  target: ['chrome120', 'firefox120', 'safari17.2'],
  logLevel: 'warning',
});
