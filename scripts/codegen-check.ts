import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Fails when the committed types are not what `npm run codegen` makes of the schema. */
const generated = fileURLToPath(new URL('../src/generated/schema.ts', import.meta.url));

const committed = readFileSync(generated, 'utf8');
execFileSync('graphql-codegen', ['--config', 'codegen.yml', '--silent'], { stdio: 'inherit' });
if (readFileSync(generated, 'utf8') === committed) {
  console.log('generated types are current');
} else {
  console.error('src/generated/schema.ts was not current; it is now: commit it');
  process.exitCode = 1;
}
