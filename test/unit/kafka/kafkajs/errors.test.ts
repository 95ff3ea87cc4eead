import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import { toKafkaError, topicError } from '../../../../src/kafka/kafkajs/errors.ts';
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

test('what a broker says of a topic', () => {
  const answers = [
    [3, 'TOPIC_NOT_FOUND'],
    [17, 'TOPIC_NOT_FOUND'],
    [29, 'NOT_AUTHORIZED'],
    ...[2, 5, 6, 9, 56, 74, 75, 78, 999].map((code) => [code, 'UNAVAILABLE'] as const),
  ] as const;
  for (const [code, expected] of answers) {
    assert.equal(topicError('acme.orders', code).code, expected, `error ${code}`);
  }
  assert.match(topicError('acme.orders', 6).message, /NOT_LEADER/);
  assert.match(topicError('acme.orders', 999).message, /999/);
});
