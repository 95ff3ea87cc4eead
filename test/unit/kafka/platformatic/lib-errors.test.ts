import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
} from '@platformatic/kafka';
import { toKafkaError, TokenUnavailable } from '../../../../src/kafka/platformatic/lib-errors.ts';
import { KafkaError } from '../../../../src/kafka/port.ts';

const network = (cause: Error) => new NetworkError('Connection failed.', { cause });

test('a refused login is found under what wraps it', () => {
  const refused = new ProtocolError('SASL_AUTHENTICATION_FAILED');
  const answer = new MultipleErrors('SaslAuthenticate', [refused]);
  const login = new AuthenticationError('SASL authentication failed.', { cause: answer });
  assert.equal(toKafkaError(network(login), 'x').code, 'AUTHENTICATION_FAILED');
});

test('a mechanism that the broker does not offer is a refusal', () => {
  const refused = new ProtocolError('UNSUPPORTED_SASL_MECHANISM');
  const login = new AuthenticationError('No mechanism.', { cause: refused });
  assert.equal(toKafkaError(network(login), 'x').code, 'AUTHENTICATION_FAILED');
});

test('a connection lost amid a login is no refusal', () => {
  const lost = new AuthenticationError('No mechanism.', { cause: new NetworkError('closed') });
  const error = toKafkaError(network(lost), 'no connection to a:1');
  assert.equal(error.code, 'UNAVAILABLE');
  assert.equal(error.message, 'no connection to a:1: closed');
});

test('a token that could not be had is no refusal', () => {
  const cause = new TokenUnavailable('no bearer token', { cause: new Error('timeout') });
  const error = toKafkaError(network(new AuthenticationError('threw', { cause })), 'x');
  assert.equal(error.code, 'UNAVAILABLE');
});

test('what is known already stays as it is', () => {
  const error = new KafkaError('NOT_AUTHORIZED', 'no');
  assert.equal(toKafkaError(error, 'x'), error);
});
