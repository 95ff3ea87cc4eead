import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configFile } from '../../support/config-file.ts';
import { nodeProblem, oldestNode } from '../../../src/cli/node-version.ts';
import { millrace } from '../../support/millrace.ts';

const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');

const { version, engines } = Object(JSON.parse(readFileSync('package.json', 'utf8')));

test('--version prints the version alone', { timeout: 120_000 }, async (t) => {
  const result = await millrace(t, ['--version']);
  assert.deepEqual(result, { code: 0, stdout: `${version}\n`, stderr: '' });
});

test('a Node that is too old is told by its version', () => {
  assert.equal(engines.node, `>=${oldestNode}`);
  assert.match(String(nodeProblem('v20.20.2')), /needs Node 24 or later, and this is v20\.20\.2/);
  assert.equal(nodeProblem('v24.0.0'), null);
  assert.equal(nodeProblem('v100.1.0-nightly'), null);
});

test('hash-key prints the digest alone, whatever newline ends the key', {
  timeout: 120_000,
}, async (t) => {
  const inputs = ['a key', 'a key\n', 'a key\r\n'];
  const results = await Promise.all(inputs.map((input) => millrace(t, ['hash-key'], { input })));
  for (const result of results) {
    assert.deepEqual(result, { code: 0, stdout: `${digestOf('a key')}\n`, stderr: '' });
  }
});

test('hash-key takes one newline away, not two, and no other space', {
  timeout: 120_000,
}, async (t) => {
  const { stdout } = await millrace(t, ['hash-key'], { input: ' ключ \n\n' });
  assert.equal(stdout, `${digestOf(' ключ \n')}\n`);
});

test('hash-key refuses an empty key', { timeout: 120_000 }, async (t) => {
  for (const result of await Promise.all([
    millrace(t, ['hash-key'], { input: '' }),
    millrace(t, ['hash-key'], { input: '\n' }),
  ])) {
    assert.equal(result.code, 1);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /no key/);
  }
});

test('a key on the command line is refused, and not repeated', { timeout: 120_000 }, async (t) => {
  const keys = ['s3cret', '-s3cret', '--s3cret=1'];
  for (const result of await Promise.all(keys.map((key) => millrace(t, ['hash-key', key])))) {
    assert.equal(result.code, 2);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /on standard input: printf %s KEY \| millrace hash-key\n/);
    assert.doesNotMatch(result.stderr, /s3cret/);
  }
});

test('check-config accepts the example', { timeout: 120_000 }, async (t) => {
  const result = await millrace(t, ['check-config', '--config', 'millrace.example.yaml']);
  assert.deepEqual(result, { code: 0, stdout: 'configuration is valid\n', stderr: '' });
});

test('check-config prints every problem, one a line, and exits with 1', {
  timeout: 120_000,
}, async (t) => {
  const file = configFile(
    t,
    'listen: { prot: 1 }\nkafka: { brokers: [x] }\nfeeds: { linger: 5 }\n',
  );
  const { code, stdout, stderr } = await millrace(t, ['check-config', '--config', file]);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  const paths = stderr
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(0, line.indexOf(':')));
  assert.deepEqual(paths, ['listen.prot', 'kafka.brokers[0]', 'feeds.linger']);
});

test('check-config takes the file from MILLRACE_CONFIG, and settings from the environment', {
  timeout: 120_000,
}, async (t) => {
  const file = configFile(t, 'kafka: { brokers: [127.0.0.1:9092] }\nlisten: { port: x }\n');
  const env = { MILLRACE_CONFIG: file };
  const [broken, mended] = await Promise.all([
    millrace(t, ['check-config'], { env }),
    millrace(t, ['check-config'], { env: { ...env, MILLRACE_LISTEN_PORT: '4000' } }),
  ]);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^listen\.port: .* \(line 2\)\n$/);
  assert.equal(mended.code, 0);
});

test('where no file was given, the problems say so', { timeout: 120_000 }, async (t) => {
  const { code, stderr } = await millrace(t, ['check-config']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^kafka\.brokers: .*\nno configuration file was given: --config FILE [^\n]*\n$/,
  );
});

test('check-config tells what it finds odd, and accepts it', { timeout: 120_000 }, async (t) => {
  const file = configFile(t, 'kafka: { brokers: [kafka.example:9092] }\n');
  const { code, stderr } = await millrace(t, ['check-config', '--config', file]);
  assert.equal(code, 0);
  assert.match(stderr, /^warning: kafka\.ssl: /);
});

test('serve with problems prints them like check-config, and no stack trace', {
  timeout: 120_000,
}, async (t) => {
  const args = ['--config', 'no-such-file.yaml'];
  const [serve, check] = await Promise.all([
    millrace(t, ['serve', ...args]),
    millrace(t, ['check-config', ...args]),
  ]);
  assert.deepEqual(serve, check);
  assert.equal(serve.code, 1);
  assert.match(serve.stderr, /^no-such-file\.yaml: cannot be read: ENOENT[^\n]*\n$/);
});

test('a command line that makes no sense exits with 2; help with 0', {
  timeout: 120_000,
}, async (t) => {
  const [command, option, help] = await Promise.all([
    millrace(t, ['srve']),
    millrace(t, ['serve', '--cofig', 'x']),
    millrace(t, ['--help']),
  ]);
  assert.equal(command.code, 2);
  assert.match(command.stderr, /Did you mean serve\?/);
  assert.equal(option.code, 2);
  assert.equal(help.code, 0);
  for (const word of ['serve', 'check-config', 'hash-key', 'MILLRACE_KAFKA_BROKERS']) {
    assert.match(help.stdout, new RegExp(word));
  }
});
