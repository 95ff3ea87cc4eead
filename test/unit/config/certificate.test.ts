import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { configFile } from '../../support/config-file.ts';

test('a certificate of no use, and a key that is not its own, are found before the start', (t) => {
  const [one, other] = [makeCertificate(), makeCertificate()];
  const beside = { 'tls.crt': one.cert, 'tls.key': one.key, 'other.key': other.key };
  const problemsOf = (tls: string): string[] => {
    const file = configFile(
      t,
      `listen: { tls: ${tls} }\nkafka: { client: embedded, credentials: client }\n`,
      beside,
    );
    return loadConfig({ file, env: {} }).problems.map(({ path, message }) => `${path}: ${message}`);
  };
  assert.deepEqual(problemsOf('{ certFile: tls.crt, keyFile: tls.key }'), []);
  for (const [tls, expected] of [
    ['{ certFile: tls.crt, keyFile: other.key }', /^listen\.tls\.keyFile: is not the key of/],
    ['{ certFile: tls.crt }', /^listen\.tls\.keyFile: is missing/],
    ['{ keyFile: tls.key }', /^listen\.tls\.certFile: is missing/],
    ['{ certFile: tls.key, keyFile: tls.key }', /^listen\.tls\.certFile: is no certificate/],
    ['{ certFile: tls.crt, keyFile: tls.crt }', /^listen\.tls\.keyFile: is no private key/],
    ['{ certFile: none.crt, keyFile: tls.key }', /^listen\.tls\.certFile: cannot be read/],
  ] as const) {
    const [problem = '', ...more] = problemsOf(tls);
    assert.match(problem, expected);
    assert.deepEqual(more, []);
  }
});
