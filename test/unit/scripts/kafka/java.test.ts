import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandResult, RunCommand } from '../../../../scripts/kafka/command.ts';
import { findJava, javaVersion } from '../../../../scripts/kafka/java.ts';

const answer = (output: string) => async (): Promise<CommandResult> => ({
  outcome: 'ended',
  exitCode: 0,
  output,
});

test('the version of Java is read from the forms in use', () => {
  assert.equal(javaVersion('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime'), 17);
  assert.equal(javaVersion('Picked up _JAVA_OPTIONS: -Xmx1g\nopenjdk version "21" 2023-09-19'), 21);
  assert.equal(javaVersion('java version "1.8.0_392"'), 8);
  assert.equal(javaVersion('openjdk version "25-ea" 2025-09-16'), 25);
  assert.equal(javaVersion('The operation could not be completed.'), null);
});

test('Java 17 will do, from the path or from JAVA_HOME', async () => {
  const run = answer('openjdk version "17.0.15"');
  assert.deepEqual(await findJava(run, {}), {
    ok: true,
    java: 'java',
    keytool: 'keytool',
    version: 17,
  });
  const java = await findJava(run, { JAVA_HOME: '/opt/jdk' });
  assert.equal(java.ok && java.keytool, '/opt/jdk/bin/keytool');
});

test('what will not do is said in a sentence', async () => {
  assert.equal(await reason(missing), 'Java is not installed.');
  assert.equal(await reason(missing, { JAVA_HOME: '/x' }), 'JAVA_HOME (/x) holds no bin/java.');
  assert.equal(
    await reason(answer('java version "11.0.2"')),
    'Java 11 is too old: Kafka needs 17.',
  );
  assert.equal(await reason(answer('')), '`java -version` does not name a version.');
  assert.equal(await reason(async () => ({ outcome: 'timed-out' })), '`java -version` hangs.');
});

test('a Java without keytool will not do: no certificate could be made', async () => {
  assert.equal(
    await reason(withoutKeytool),
    'Java 17 comes without its keytool: there is none on the path.',
  );
  assert.equal(
    await reason(withoutKeytool, { JAVA_HOME: '/x' }),
    'Java 17 comes without its keytool: there is none in JAVA_HOME (/x).',
  );
});

const missing: RunCommand = async () => ({ outcome: 'missing' });

const withoutKeytool: RunCommand = (program) =>
  program.endsWith('keytool') ? missing(program, []) : answer('openjdk version "17.0.15"')();

async function reason(run: RunCommand, env: NodeJS.ProcessEnv = {}): Promise<string | null> {
  const java = await findJava(run, env);
  return java.ok ? null : java.reason;
}
