import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { toKafkaError } from '../../../../src/kafka/kafkajs/errors.ts';
import { KafkaError } from '../../../../src/kafka/port.ts';

test('a refused login is told from a broker that is away, however deep it lies', () => {
  const refused = Object.assign(new Error('no'), { name: 'KafkaJSSASLAuthenticationError' });
  const wrapped = new Error('retries exceeded', { cause: new Error('deeper', { cause: refused }) });
  assert.equal(toKafkaError(refused).code, 'AUTHENTICATION_FAILED');
  assert.equal(toKafkaError(wrapped).code, 'AUTHENTICATION_FAILED');
  const mechanism = Object.assign(new Error('no'), { type: 'UNSUPPORTED_SASL_MECHANISM' });
  assert.equal(toKafkaError(mechanism).code, 'AUTHENTICATION_FAILED');
  const away = new kafkajs.KafkaJSConnectionError('connect ECONNREFUSED');
  assert.equal(toKafkaError(away).code, 'UNAVAILABLE');
  assert.equal(toKafkaError('thrown text').code, 'UNAVAILABLE');
});

test('an error of the port passes as it is, also from within another', () => {
  const own = new KafkaError('NOT_AUTHORIZED', 'no');
  assert.equal(toKafkaError(own), own);
  assert.equal(toKafkaError(new Error('around it', { cause: own })), own);
});
