import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../../src/observe/logger.ts';
import { captureLog } from '../../support/captured-log.ts';

test('one JSON object a line, with the level in words and the time in ISO 8601', () => {
  const { logger, lines } = captureLog();
  logger.info({ projectId: 'p' }, 'hello');
  const [line] = lines;
  assert.equal(line?.level, 'info');
  assert.equal(line?.msg, 'hello');
  assert.equal(line?.['projectId'], 'p');
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT/);
});

test('fields that hold secrets are blotted out, a few levels deep', () => {
  const written: string[] = [];
  const logger = createLogger({
    level: 'info',
    destination: { write: (line) => written.push(line) },
  });
  const secret = 'hunter2';
  logger.info({ key: secret, password: secret, token: secret }, 'top');
  logger.info({ sasl: { username: 'u', password: secret }, config: { sasl: secret } }, 'nested');
  logger.info({ req: { headers: { authorization: secret, cookie: secret } } }, 'request');
  assert.equal(written.length, 3);
  assert.doesNotMatch(written.join(''), /hunter2/);
});

test('what is below the level is not logged', () => {
  const written: string[] = [];
  const logger = createLogger({
    level: 'warn',
    destination: { write: (line) => written.push(line) },
  });
  logger.info('no');
  logger.warn('yes');
  assert.equal(written.length, 1);
});
