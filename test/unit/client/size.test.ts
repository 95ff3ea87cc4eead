import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** What docs/client.md promises. */
const maxBytes = 5_000;

test('the client is smaller than promised, and imports nothing but itself', async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('../../../src/client/index.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    legalComments: 'none',
  });
  const [bundle] = outputFiles;
  const size = gzipSync(bundle?.contents ?? '').length;
  assert.ok(size > 1_000 && size < maxBytes, `${size} bytes`);
  for (const input of Object.keys(metafile.inputs)) assert.match(input, /^src\/client\//);
});
