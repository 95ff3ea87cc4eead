import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../src/config/load.ts';
import { settings } from '../../src/config/schema.ts';
import { closeWithinMs } from '../../src/cli/ending.ts';
import { metricTable } from '../../src/observe/metric-table.ts';
import { makeCertificate } from '../support/certificate.ts';
import { configFile } from '../support/config-file.ts';

/* What in `deploy/` and the Dockerfile must fit the code. What helm makes of the templates: helm.test.ts. */

const root = new URL('../../', import.meta.url);
const chart = 'deploy/helm/millrace';
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const templates = globSync(`${chart}/templates/*`, { cwd: root }).map((path) => read(path));
const values = parse(read(`${chart}/values.yaml`));
const valuesSchema = JSON.parse(read(`${chart}/values.schema.json`));
const withinS = closeWithinMs / 1_000;

test('the chart is of the package’s version', () => {
  const { appVersion, version } = parse(read(`${chart}/Chart.yaml`));
  assert.equal(appVersion, JSON.parse(read('package.json')).version);
  assert.match(version, /^\d+\.\d+\.\d+$/);
});

test('each value that a template uses is there, and each that is there is used', () => {
  const all = templates.join('\n');
  const used = [...all.matchAll(/\$?\.Values\.([A-Za-z.]+)/g)].map(([, path = '']) => path);
  assert.ok(used.length > 20);
  for (const path of used) {
    const steps = path.split('.');
    const parent = steps.slice(0, -1).reduce((place, step) => Object(place[step]), values);
    assert.ok(Object.hasOwn(parent, steps.at(-1) ?? ''), path);
  }
  for (const name of Object.keys(values)) {
    assert.ok(
      used.some((path) => path === name || path.startsWith(`${name}.`)),
      name,
    );
  }
});

test('the schema of the values knows them, and takes no others', () => {
  const type = z.fromJSONSchema(valuesSchema);
  assert.deepEqual(type.parse(values), values);
  // `global` is what a chart that has this one in it tells all of its charts.
  const known = Object.keys(valuesSchema.properties).filter((name) => name !== 'global');
  assert.deepEqual(known.toSorted(), Object.keys(values).toSorted());
  for (const [name, { properties }] of Object.entries<{ properties?: object }>(
    valuesSchema.properties,
  )) {
    if (properties === undefined) continue;
    assert.deepEqual(Object.keys(properties).toSorted(), Object.keys(values[name]).toSorted());
  }
  for (const wrong of [
    { replicas: 2 },
    { replicaCount: '2' },
    { image: { tag: 20261125 } },
    { secrets: { 'kafka-password': 12345678 } },
    { env: [{ name: 'NODE_OPTIONS', value: 1 }] },
    { podAnnotations: { 'prometheus.io/scrape': true } },
    { shutdown: { terminationGracePeriod: 30 } },
    { podDisruptionBudget: { maxUnavailable: 'half' } },
  ]) {
    assert.ok(!type.safeParse(wrong).success, JSON.stringify(wrong));
  }
});

test('the values that docs/deployment.md shows are good ones', (t) => {
  const [, example = ''] =
    /^```yaml\n# yours\.yaml\n(.*?)^```$/ms.exec(read('docs/deployment.md')) ?? [];
  const shown = z.fromJSONSchema(valuesSchema).parse(parse(example));
  const { config } = z.object({ config: z.looseObject({}) }).parse(shown);
  // Its files are those of a pod.
  const file = configFile(t, JSON.stringify({ ...config, cursors: {} }));
  assert.deepEqual(loadConfig({ file, env: {} }).problems, []);
});

test('blocks of the templates are closed, and their actions are whole', () => {
  for (const template of templates) {
    const actions = [...template.matchAll(/\{\{-?\s*(.*?)\s*-?\}\}/gs)].map(
      ([, action = '']) => action,
    );
    const opened = actions.filter((action) => /^(if|with|range|define)\b/.test(action)).length;
    assert.equal(actions.filter((action) => action === 'end').length, opened);
    assert.equal(template.split('{{').length, template.split('}}').length);
  }
});

test('the configuration that the chart comes with is one', (t) => {
  const file = configFile(t, JSON.stringify(values.config));
  assert.deepEqual(loadConfig({ file, env: {} }).problems, []);
});

test('whoever waits for the process to end gives it the time that it may take', () => {
  const { readyDelay, drainTime, terminationGracePeriod } = values.shutdown;
  assert.ok(terminationGracePeriod > withinS + 1);
  assert.ok(readyDelay + drainTime + 2 < withinS);
  const longestMs = 10_000 + 15_000;
  assert.ok(longestMs + 2_000 < closeWithinMs, 'the most that may be configured');
  assert.ok(settings.shutdown.settings.readyDelay.type.schema.safeParse('10s').success);
  assert.ok(!settings.shutdown.settings.readyDelay.type.schema.safeParse('11s').success);
  assert.ok(!settings.shutdown.settings.drainTime.type.schema.safeParse('16s').success);
  const [, stop = '0'] =
    /^TimeoutStopSec=(\d+)s$/m.exec(read('deploy/systemd/millrace.service')) ?? [];
  assert.ok(Number(stop) > withinS + 1);
});

test('the autoscaler goes by a metric that there is', () => {
  assert.ok(Object.hasOwn(metricTable, values.autoscaling.metric));
});

const dockerfile = read('Dockerfile');

/** What may go into the image: lines of .dockerignore, without their `!`. */
const allowed = read('.dockerignore')
  .split('\n')
  .filter((line) => line.startsWith('!'))
  .map((line) => line.slice(1));

test('the image runs as nobody, and signals reach the server', () => {
  assert.match(dockerfile, /^USER 65532:65532$/m);
  assert.match(dockerfile, /^ENTRYPOINT \["node", .*"lib\/cli\/main\.js"\]$/m);
});

test('what the package is put together from reaches the image', () => {
  assert.ok(allowed.length > 5);
  for (const path of allowed) assert.ok(existsSync(new URL(path, root)), path);
  const [, list = ''] = /^const copied = \[(.*?)\];/ms.exec(read('scripts/package.ts')) ?? [];
  const copied = [...list.matchAll(/'([^']+)'/g)].map(([, path = '']) => path);
  assert.ok(copied.length > 5);
  assert.deepEqual(
    copied.filter((path) => !allowed.includes(path)),
    [],
  );
});

const answer: RequestListener = ({ url }, response) => {
  response.writeHead(url === '/health/live' ? 200 : 404).end();
};

test('the image’s health check asks the server, over TLS as well', async (t) => {
  assert.equal(await checkHealth(await portOf(t, createServer(answer))), 0);
  assert.equal(await checkHealth(await portOf(t, createTlsServer(makeCertificate(), answer))), 0);
  const ill = createServer((_request, response) => response.writeHead(503).end());
  assert.equal(await checkHealth(await portOf(t, ill)), 1);
});

async function portOf(t: TestContext, server: Server): Promise<number> {
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** What the health check of the image exits with. */
async function checkHealth(port: number): Promise<unknown> {
  const [, command = '[]'] = /^HEALTHCHECK [^[]*CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  const [program, ...args]: string[] = JSON.parse(command);
  assert.equal(program, 'node');
  const env = { ...process.env, MILLRACE_LISTEN_PORT: String(port) };
  const [code] = await once(spawn(process.execPath, args, { env, stdio: 'ignore' }), 'exit');
  return code;
}
