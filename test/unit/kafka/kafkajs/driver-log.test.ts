import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captureLog } from '../../../support/captured-log.ts';
import { query } from '../../../support/graphql-client.ts';
import { runServer, testConfig } from '../../../support/server.ts';

test('what kafkajs complains of is in the log of the server', async (t) => {
  const config = testConfig({
    MILLRACE_KAFKA_CLIENT: 'kafkajs',
    // Nobody listens there.
    MILLRACE_KAFKA_BROKERS: '127.0.0.1:1',
  });
  const log = captureLog();
  const { url } = await runServer(t, config, { logger: log.logger });
  await query(url, { projectId: 'acme', key: 'acme-read' }, '{ topics { name } }');
  const line = await log.logged('kafkajs: 127.0.0.1:1');
  assert.match(line.msg, /ECONNREFUSED/);
  assert.equal(line.level, 'warn');
});
