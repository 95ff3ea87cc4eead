import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../support/config-file.ts';
import { digestOf } from '../support/server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { env } = process;

async function run(
  command: string,
  args: readonly string[],
  { cwd, input = '' }: { cwd: string; input?: string },
): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(command, args, { cwd, env, stdio: 'pipe' });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve);
    child.once('error', reject);
  });
  child.stdin.end(input);
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, output, errors };
}

async function succeed(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, output, errors } = await run(command, args, { cwd });
  assert.equal(code, 0, `${command} ${args.join(' ')}\n${output}\n${errors}`);
  return output;
}

/** The package, packed and installed in a folder that has nothing to do with this one. */
async function install(t: TestContext): Promise<string> {
  const folder = temporaryDirectory(t);
  await succeed(process.execPath, [join(root, 'scripts/package.ts')], root);
  const packed = await succeed('npm', ['pack', join(root, 'dist/package'), '--json'], folder);
  const [{ filename, files }] = JSON.parse(packed);
  const paths: string[] = files.map(({ path }: { path: string }) => path);
  const needed = [
    'lib/cli/main.js',
    'lib/index.d.ts',
    'dist/console/console.js',
    'docs/configuration.md',
  ];
  for (const path of needed) assert.ok(paths.includes(path), path);
  assert.deepEqual(
    paths.filter((path) => /(?<!\.d)\.ts$|^test|^node_modules/.test(path)),
    [],
  );
  writeFileSync(
    join(folder, 'package.json'),
    '{"name":"elsewhere","private":true,"type":"module"}',
  );
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  await succeed('npm', ['install', ...quiet, join(folder, filename)], folder);
  return folder;
}

const config = `
listen: { port: 0 }
kafka: { client: embedded, credentials: service }
auth: { projects: [{ id: p, keys: [{ kind: read, sha256: ${digestOf('k')} }] }] }
`;

const library = `
import { createYoga } from 'graphql-yoga';
import { EmbeddedKafka, loadConfig, MillraceError, openSchema, startServer, systemClock } from 'millrace';

const { config, problems } = loadConfig({ file: 'millrace.yaml', env: {} });
if (config === null) throw new Error(JSON.stringify(problems));
const server = await startServer(config, {});
const answer = await fetch(server.url + '/health/live');
console.log(JSON.stringify(await answer.json()));
await server.close();

const kafka = new EmbeddedKafka({ clock: systemClock });
kafka.createTopic('purchases', 1);
const millrace = await openSchema(config, { driver: kafka.driver() });
const yoga = createYoga({
  schema: millrace.schema,
  plugins: [millrace.plugin],
  logging: false,
  context: ({ request }) => millrace.contextOf(request),
});
const response = await yoga.fetch('http://x/graphql', {
  method: 'POST',
  headers: {
    'content-type': 'application/json',
    authorization: 'Basic ' + btoa('p:k'),
  },
  body: JSON.stringify({ query: '{ topics { name } }' }),
});
console.log(await response.text());
await millrace.close();
console.log(new MillraceError('FORBIDDEN', 'no').code);
console.log(Object.keys(await import('millrace/client')).length > 0);
`;

/** What must compile, and what must not. */
const types = `
import { type Config, loadConfig, type MillraceServer, startServer } from 'millrace';

const { config }: { config: Config | null } = loadConfig({ env: {} });
if (config !== null) {
  const server: MillraceServer = await startServer(config);
  const url: string = server.url;
  // @ts-expect-error there is no such thing: the types are not just any
  server.nothing();
  await server.close();
  console.log(url, config.limits.initTimeoutMs.toFixed());
}
`;

test('the package, installed elsewhere, runs on plain Node: as a command, as a library, with its types', async (t) => {
  const folder = await install(t);
  const installed = join(folder, 'node_modules/millrace');
  writeFileSync(join(folder, 'millrace.yaml'), config);
  writeFileSync(join(folder, 'library.js'), library);
  writeFileSync(join(folder, 'types.ts'), types);

  const { bin, version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  assert.equal(version, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  const main = join(installed, bin.millrace);
  const command = (...args: readonly string[]) => [main, ...args, '--config', 'millrace.yaml'];
  const checked = await succeed(process.execPath, command('check-config'), folder);
  assert.equal(checked, 'configuration is valid\n');
  const hash = await run(process.execPath, [main, 'hash-key'], { cwd: folder, input: 'k' });
  assert.equal(hash.output, `${digestOf('k')}\n`);

  for (const workers of ['1', '2']) {
    const child = spawn(process.execPath, command('serve'), {
      cwd: folder,
      env: { ...env, MILLRACE_WORKERS: workers, MILLRACE_SHUTDOWN_READY_DELAY: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.after(() => child.kill('SIGKILL'));
    const ended = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    const { value: line = '' } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
    const [url = ''] = /http:\S+/.exec(line) ?? [];
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Basic ${btoa('p:k')}` },
      body: '{"query":"{ project { id } }"}',
    });
    assert.deepEqual(await answer.json(), { data: { project: { id: 'p' } } });
    assert.equal((await fetch(`${url}/console/console.js`)).status, 200);
    const graphiql = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
    assert.match(await graphiql.text(), /<title>Millrace<.title>/);
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
  }

  const said = await succeed(process.execPath, ['library.js'], folder);
  assert.deepEqual(said.trim().split('\n'), [
    '{"status":"ok"}',
    '{"data":{"topics":[{"name":"purchases"}]}}',
    'FORBIDDEN',
    'true',
  ]);

  mkdirSync(join(folder, 'out'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2024',
        lib: ['es2024', 'esnext'],
        strict: true,
        noEmit: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files: ['types.ts'],
    }),
  );
  const compiler = join(root, 'node_modules/.bin/tsc');
  const { output } = await run(compiler, ['--project', folder], { cwd: folder });
  // What others publish may not fit this compiler; what is ours, and what uses it, must.
  const ours = output
    .split('\n')
    .filter((line) => /^(types\.ts|node_modules\/millrace)/.test(line));
  assert.deepEqual(ours, []);
});
