import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { RunCommand } from '../../../../scripts/kafka/command.ts';
import { cachedLibs, fetchLibs, kafkaVersion } from '../../../../scripts/kafka/libs.ts';

test('the version is the one that the pom names', () => {
  assert.match(kafkaVersion(), /^4\.\d+\.\d+$/);
  assert.equal(kafkaVersion('<kafka.version> 9.8.7 </kafka.version>'), '9.8.7');
  assert.throws(() => kafkaVersion('<project/>'), /names no kafka\.version/);
});

test('the jars appear at once, and are downloaded once', async (t) => {
  const env = { KAFKA_CACHE_DIR: temporaryFolder(t) };
  let downloads = 0;
  const run: RunCommand = async (program, args) => {
    downloads += 1;
    assert.equal(program, 'mvn');
    assert.equal(cachedLibs(env), null);
    download(args);
    return { outcome: 'ended', exitCode: 0, output: '' };
  };
  const libs = await fetchLibs(env, run);
  assert.deepEqual(libs, cachedLibs(env));
  assert.deepEqual(await fetchLibs(env, run), libs);
  assert.equal(downloads, 1);
});

test('of two downloads at once one is taken, and none is left lying', async (t) => {
  const env = { KAFKA_CACHE_DIR: temporaryFolder(t) };
  const [one, two] = await Promise.all([fetchLibs(env, working), fetchLibs(env, working)]);
  assert.deepEqual(one, two);
  assert.ok(one.ok);
  assert.deepEqual(readdirSync(join(env.KAFKA_CACHE_DIR, 'kafka', one.version)), ['libs']);
  assert.deepEqual(readdirSync(one.libsDir), ['kafka.jar']);
});

test('a download that fails leaves nothing and says why', async (t) => {
  const env = { KAFKA_CACHE_DIR: temporaryFolder(t) };
  const failed = await fetchLibs(env, failing);
  assert.match(failed.ok ? '' : failed.reason, /could not download.*Could not resolve/);
  const missing = await fetchLibs(env, async () => ({ outcome: 'missing' }));
  assert.deepEqual(missing, { ok: false, reason: 'Maven is not installed.' });
  assert.deepEqual(readdirSync(join(env.KAFKA_CACHE_DIR, 'kafka', kafkaVersion())), []);
});

test('a cache that cannot be written to is told, and nothing is downloaded', async (t) => {
  // Where a folder should be: that stops even a root user.
  const file = join(temporaryFolder(t), 'cache');
  writeFileSync(file, '');
  const libs = await fetchLibs({ KAFKA_CACHE_DIR: file }, () => assert.fail('Maven was run'));
  assert.deepEqual(libs, {
    ok: false,
    reason: `Cannot write to ${file} (ENOTDIR). Make it writable, or set KAFKA_CACHE_DIR to a folder that is.`,
  });
});

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What Maven would do with these arguments. */
function download(args: readonly string[]): void {
  const folder = args.find((argument) => argument.startsWith('-DoutputDirectory='))?.slice(18);
  assert.ok(folder !== undefined);
  mkdirSync(folder);
  writeFileSync(join(folder, 'kafka.jar'), '');
}

const working: RunCommand = async (_, args) => {
  download(args);
  await Promise.resolve();
  return { outcome: 'ended', exitCode: 0, output: '' };
};

const failing: RunCommand = async (_, args) => {
  download(args);
  return { outcome: 'ended', exitCode: 1, output: 'Could not resolve org.apache.kafka\n' };
};
