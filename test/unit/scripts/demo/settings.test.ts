import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { demoProjects } from '../../../../scripts/demo/projects.ts';
import { demoConfig, demoSettings } from '../../../../scripts/demo/settings.ts';
import { StartError } from '../../../../scripts/demo/start-error.ts';
import { ServiceAuthenticator } from '../../../../src/auth/service-authenticator.ts';

const embedded = { MILLRACE_KAFKA_CLIENT: 'embedded' };

test('the demo’s keys are those of its configuration, and are taken or refused as told', async () => {
  const { config, problems, warnings } = demoConfig(embedded, {});
  assert.deepEqual(problems, []);
  // These keys are there to be refused.
  assert.deepEqual(
    warnings.map(({ path }) => path),
    ['auth.projects[0].keys[3].filters'],
  );
  const projects = config?.auth.projects ?? [];
  assert.deepEqual(
    projects.map(({ id, keys }) => [id, keys.map(({ name, sha256 }) => [name, sha256])]),
    demoProjects.map(({ id, keys }) => [
      id,
      keys.map(({ name, key }) => [name, createHash('sha256').update(key).digest('hex')]),
    ]),
  );
  const authenticator = new ServiceAuthenticator(projects, null);
  for (const { id, keys } of demoProjects) {
    for (const { key, ...rest } of keys) {
      const attempt = authenticator.authenticate({ projectId: id, key });
      if ('refusal' in rest) await assert.rejects(attempt, { message: rest.refusal });
      else assert.equal((await attempt).projectId, id);
    }
  }
});

test('the environment wins over the demo’s settings', () => {
  const { config } = demoConfig(embedded, {
    MILLRACE_LISTEN_PORT: '4711',
    MILLRACE_LOG_LEVEL: 'debug',
    MILLRACE_DEMO: 'off',
    MILLRACE_DEMO_RATE: '2',
    MILLRACE_CACHE_DIR: '/somewhere',
  });
  assert.equal(config?.listen.port, 4711);
  assert.equal(config?.log.level, 'debug');
  assert.equal(config?.kafka.client, 'embedded');
});

test('a misspelt setting is told', () => {
  const { config, problems } = demoConfig(embedded, { MILLRACE_LISTEN_PROT: '4711' });
  assert.equal(config, null);
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['MILLRACE_LISTEN_PROT'],
  );
});

test('the demo is on at a rate of 1 unless told otherwise', () => {
  const usual = { producer: true, rate: 1 };
  assert.deepEqual(demoSettings({}), usual);
  assert.deepEqual(demoSettings({ MILLRACE_DEMO: '', MILLRACE_DEMO_RATE: '' }), usual);
  assert.deepEqual(demoSettings({ MILLRACE_DEMO: 'off', MILLRACE_DEMO_RATE: '0.5' }), {
    producer: false,
    rate: 0.5,
  });
  for (const rate of ['0', '-1', 'fast', '1001', ' ']) {
    assert.throws(() => demoSettings({ MILLRACE_DEMO_RATE: rate }), StartError);
  }
  assert.throws(() => demoSettings({ MILLRACE_DEMO: 'no' }), StartError);
});
