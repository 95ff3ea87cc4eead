import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownVariables, variableName } from '../../../src/config/environment.ts';
import { knownPaths } from '../../../src/config/read-settings.ts';
import { settings } from '../../../src/config/schema.ts';

test('names a variable after the path', () => {
  assert.equal(variableName('kafka.brokers'), 'MILLRACE_KAFKA_BROKERS');
  assert.equal(variableName('kafka.sasl.passwordFile'), 'MILLRACE_KAFKA_SASL_PASSWORD_FILE');
  assert.equal(variableName('http.allowedOrigins'), 'MILLRACE_HTTP_ALLOWED_ORIGINS');
});

test('no two settings share a variable, and none has one that Kubernetes sets', () => {
  const names = knownPaths(settings).map(variableName);
  assert.equal(new Set(names).size, names.length);
  assert.equal(
    ownVariables(Object.fromEntries(names.map((name) => [name, 'x']))).size,
    names.length,
  );
});

test('leaves alone what is not meant as a setting', () => {
  const own = ownVariables({
    PATH: '/bin',
    MILLRACE_CONFIG: 'millrace.yaml',
    MILLRACE_SERVICE_HOST: '10.0.0.1',
    MILLRACE_SERVICE_PORT: '4000',
    MILLRACE_SERVICE_PORT_HTTP: '4000',
    MILLRACE_PORT: 'tcp://10.0.0.1:4000',
    MILLRACE_PORT_4000_TCP_ADDR: '10.0.0.1',
    MILLRACE_LISTEN_HOST: '',
    MILLRACE_LISTEN_PORT: '0',
  });
  assert.deepEqual([...own], [['MILLRACE_LISTEN_PORT', '0']]);
});
