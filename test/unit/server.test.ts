import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { startServer } from '../../src/server.ts';
import { captureLog } from '../support/captured-log.ts';
import { ManualClock } from '../support/manual-clock.ts';

function projectsOf(...ids: string[]) {
  return ids.map((id) => ({ id, keys: [] }));
}

test('a server that cannot listen leaves nothing running', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  const { config } = loadConfig({
    env: { MILLRACE_KAFKA_CLIENT: 'embedded', MILLRACE_LISTEN_PORT: String(address.port) },
  });
  assert.ok(config);
  const clock = new ManualClock();
  const { logger } = captureLog();
  await assert.rejects(startServer(config, { logger, clock }), { code: 'EADDRINUSE' });
  assert.equal(clock.pending, 0);
});

test('projects that the settings in force would not keep apart are not taken over', async (t) => {
  const { config, problems } = loadConfig({
    env: {
      MILLRACE_KAFKA_CLIENT: 'embedded',
      MILLRACE_KAFKA_CREDENTIALS: 'service',
      MILLRACE_AUTH_PROJECTS: JSON.stringify(projectsOf('acme')),
      MILLRACE_LISTEN_PORT: '0',
    },
  });
  assert.ok(config, JSON.stringify(problems));
  const { logger } = captureLog();
  const server = await startServer(config, { logger });
  t.after(() => server.close());
  server.updateProjects(projectsOf('globex'));
  assert.throws(() => server.updateProjects(projectsOf('acme', 'globex')), {
    message: /^kafka\.topicTemplate lacks \{projectId\}/,
  });
});
