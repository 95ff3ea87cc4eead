/** Puts the console's scripts and styles together, where the server reads them: `npm run build:console`. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

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
