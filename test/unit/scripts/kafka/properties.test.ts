import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeProperties, propertiesText } from '../../../../scripts/kafka/properties.ts';

const ports = [1, 2, 3].map((node) => ({
  admin: node * 10,
  saslPlaintext: node * 10 + 1,
  saslSsl: node * 10 + 2,
  oauth: node * 10 + 3,
  controller: node * 10 + 4,
}));
const settings = {
  nodeId: 2,
  ports,
  logDir: '/data/node-2',
  keystoreFile: '/data/keystore.p12',
  keystorePassword: 'secret',
  plainUsers: new Map([['acme', 'a"b\\c']]),
  properties: { 'message.max.bytes': '1000' },
};

test('a node of three names all voters, its own ports, and keeps three replicas', () => {
  const properties = nodeProperties(settings);
  assert.equal(
    properties['controller.quorum.voters'],
    '1@127.0.0.1:14,2@127.0.0.1:24,3@127.0.0.1:34',
  );
  assert.match(
    properties['listeners'] ?? '',
    /^CONTROLLER:\/\/127\.0\.0\.1:24,PLAINTEXT:\/\/127\.0\.0\.1:20,/,
  );
  assert.doesNotMatch(properties['advertised.listeners'] ?? '', /CONTROLLER/);
  assert.equal(properties['offsets.topic.replication.factor'], '3');
});

test('properties of the caller win', () => {
  assert.equal(nodeProperties(settings)['message.max.bytes'], '1000');
});

test('a password with quotes and backslashes stays one JAAS value', () => {
  const jaas = nodeProperties(settings)['listener.name.sasl_ssl.plain.sasl.jaas.config'] ?? '';
  assert.ok(jaas.endsWith('PlainLoginModule required user_acme="a\\"b\\\\c";'));
});

test('a user name that would end its JAAS option is refused', () => {
  const plainUsers = new Map([['a=b" c', 'x']]);
  assert.throws(() => nodeProperties({ ...settings, plainUsers }), /Not a name for a PLAIN user/);
});

test('a properties file escapes what Java would read otherwise', () => {
  const text = propertiesText({ a: 'C:\\x', b: 'ü\n', c: ' d' });
  assert.equal(text, 'a=C:\\\\x\nb=\\u00fc\\u000a\nc=\\u0020d\n');
});
