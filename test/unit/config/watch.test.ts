import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigWatch, type WatchOptions } from '../../../src/config/watch.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { captureLog, type CapturedLog } from '../../support/captured-log.ts';
import { configFile, temporaryDirectory } from '../../support/config-file.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const env = { MILLRACE_KAFKA_CLIENT: 'embedded' };
const hour = 3_600_000;

function withProjects(...ids: readonly string[]): string {
  return `auth: { projects: [${ids.map((id) => `{ id: ${id} }`).join(', ')}] }\n`;
}

function withTemplate(template: string): string {
  return `kafka: { credentials: service, topicTemplate: "${template}" }\n`;
}

interface Watched extends CapturedLog {
  /** The ids of the projects that were applied, one list for each time. */
  readonly applied: string[][];
  nextApplied(): Promise<string[]>;
}

/** The levels of the lines that say that nothing is amiss any more. */
function settled({ lines }: CapturedLog): string[] {
  return lines
    .filter(({ msg }) => msg.includes('matches what is in force'))
    .map((one) => one.level);
}

function watched(t: TestContext, file: string, options: Partial<WatchOptions> = {}): Watched {
  const { config } = loadConfig({ file, env });
  assert.ok(config);
  const log = captureLog();
  const applied: string[][] = [];
  let next: ((ids: string[]) => void) | null = null;
  const watch = new ConfigWatch({
    file,
    env,
    config,
    clock: systemClock,
    logger: log.logger,
    onProjects: (projects) => {
      const ids = projects.map(({ id }) => id);
      applied.push(ids);
      next?.(ids);
    },
    // Tests of the notification must not be saved by the poll.
    pollMs: hour,
    quietMs: 10,
    ...options,
  });
  t.after(() => watch.close());
  return {
    ...log,
    applied,
    nextApplied: () =>
      new Promise((resolve) => {
        next = resolve;
      }),
  };
}

test('a file that is written in place is applied', { timeout: 60_000 }, async (t) => {
  const file = configFile(t, withProjects('a'));
  const watch = watched(t, file);
  const applied = watch.nextApplied();
  writeFileSync(file, withProjects('a', 'b'));
  assert.deepEqual(await applied, ['a', 'b']);
});

test('a file that is replaced is applied, again and again', { timeout: 60_000 }, async (t) => {
  const file = configFile(t, withProjects('a'));
  const watch = watched(t, file);
  for (const id of ['b', 'c']) {
    const applied = watch.nextApplied();
    writeFileSync(`${file}.new`, withProjects(id));
    renameSync(`${file}.new`, file);
    assert.deepEqual(await applied, [id]);
  }
});

test('a symbolic link that is swapped beside the file is seen', { timeout: 60_000 }, async (t) => {
  // As Kubernetes mounts a ConfigMap: millrace.yaml -> ..data/millrace.yaml, ..data -> ..1
  const directory = temporaryDirectory(t);
  const version = (name: string, content: string): void => {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'millrace.yaml'), content);
  };
  version('..1', withProjects('a'));
  symlinkSync('..1', join(directory, '..data'));
  symlinkSync(join('..data', 'millrace.yaml'), join(directory, 'millrace.yaml'));
  const watch = watched(t, join(directory, 'millrace.yaml'));

  const applied = watch.nextApplied();
  version('..2', withProjects('b'));
  symlinkSync('..2', join(directory, '..data_tmp'));
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
  assert.deepEqual(await applied, ['b']);
});

test('a change that nobody is notified of is found at the next look', async (t) => {
  // Written in another directory than the one that is watched.
  const real = configFile(t, withProjects('a'));
  const link = join(temporaryDirectory(t), 'millrace.yaml');
  symlinkSync(real, link);
  const clock = new ManualClock();
  const watch = watched(t, link, { clock, pollMs: 2_000 });
  writeFileSync(real, withProjects('b'));
  await clock.advance(1_999);
  assert.deepEqual(watch.applied, []);
  await clock.advance(1);
  assert.deepEqual(watch.applied, [['b']]);
});

test('a change between reading and watching is not missed', (t) => {
  const file = configFile(t, withProjects('a'));
  const { config } = loadConfig({ file, env });
  assert.ok(config);
  writeFileSync(file, withProjects('b'));
  const watch = watched(t, file, { config });
  assert.deepEqual(watch.applied, [['b']]);
});

test('a version with problems is logged with all of them and passed over', async (t) => {
  const file = configFile(t, withProjects('a'));
  const clock = new ManualClock();
  const watch = watched(t, file, { clock, pollMs: 2_000 });
  writeFileSync(file, 'auth: { projects: [{ di: a }] }\nlisten: { port: x }\n');
  await clock.advance(2_000);
  const { level, problems } = await watch.logged('has problems');
  assert.equal(level, 'error');
  assert.ok(Array.isArray(problems));
  assert.equal(problems.length, 3);

  rmSync(file);
  await clock.advance(2_000);
  assert.equal(watch.lines.filter(({ msg }) => msg.includes('has problems')).length, 2);
  await clock.advance(10_000);
  assert.equal(watch.lines.filter(({ msg }) => msg.includes('has problems')).length, 2);

  writeFileSync(file, withProjects('a'));
  await clock.advance(2_000);
  assert.deepEqual(watch.applied, [], 'back to what is in force');
  assert.deepEqual(settled(watch), ['info']);
});

test('a version that is in order as soon as a file that it names is, is applied then', async (t) => {
  const clock = new ManualClock();
  const file = configFile(t, withProjects('a'));
  const secret = join(temporaryDirectory(t), 'secret');
  const watch = watched(t, file, { clock, pollMs: 2_000 });
  writeFileSync(file, `${withProjects('b')}cursors: { secretFile: ${secret} }\n`);
  for (let looks = 0; looks < 3; looks += 1) await clock.advance(2_000);
  assert.deepEqual(watch.applied, []);
  const told = watch.lines.filter(({ msg }) => msg.includes('has problems'));
  assert.equal(told.length, 1, 'told once, however often it is read');
  writeFileSync(secret, 'x'.repeat(32));
  await clock.advance(2_000);
  assert.deepEqual(watch.applied, [['b']]);
});

test('another setting needs a restart, and says so', async (t) => {
  const file = configFile(t, withProjects('a'));
  const clock = new ManualClock();
  const watch = watched(t, file, { clock, pollMs: 2_000 });
  writeFileSync(
    file,
    `${withProjects('a')}listen: { port: 1 }\nfeeds: { linger: 1s }\nkafka: { ssl: true }\n`,
  );
  await clock.advance(2_000);
  const { changed } = await watch.logged('need a restart');
  assert.deepEqual(changed, ['listen.port', 'feeds.linger', 'kafka.ssl']);
  assert.deepEqual(watch.applied, []);

  // Over a version with problems to one that still needs the restart, and only then back.
  writeFileSync(file, 'listen: { port: x }\n');
  await clock.advance(2_000);
  writeFileSync(file, `${withProjects('a')}listen: { port: 2 }\n`);
  await clock.advance(2_000);
  assert.deepEqual(settled(watch), []);
  writeFileSync(file, withProjects('a', 'b'));
  await clock.advance(2_000);
  assert.deepEqual(watch.applied, [['a', 'b']]);
  assert.deepEqual(settled(watch), ['info']);
  writeFileSync(file, withProjects('a'));
  await clock.advance(2_000);
  assert.deepEqual(settled(watch), ['info'], 'told once');
});

test('projects that the settings in force do not keep apart wait for the restart', async (t) => {
  const file = configFile(t, `${withTemplate('{topic}')}${withProjects('a')}`);
  const clock = new ManualClock();
  const watch = watched(t, file, { clock, pollMs: 2_000 });
  // By itself the new version is in order: with its template each project has topics of its own.
  const withKey = 'auth: { projects: [{ id: a, keys: [] }, { id: b }] }\n';
  writeFileSync(file, `${withTemplate('{projectId}.{topic}')}${withKey}`);
  await clock.advance(2_000);
  const { problems } = await watch.logged('not applied before a restart');
  assert.match(String(problems), /kafka\.topicTemplate: lacks \{projectId\}/);
  assert.deepEqual(watch.applied, [['a']], 'what is there already is changed all the same');
});

test('after close nothing is watched', async (t) => {
  const file = configFile(t, withProjects('a'));
  const { config } = loadConfig({ file, env });
  assert.ok(config);
  const clock = new ManualClock();
  const { logger, lines } = captureLog();
  const options = { file, env, config, clock, logger, onProjects: () => assert.fail('applied') };
  new ConfigWatch(options).close();
  writeFileSync(file, withProjects('b'));
  await clock.advance(hour);
  assert.equal(clock.pending, 0);
  assert.deepEqual(lines, []);
});
