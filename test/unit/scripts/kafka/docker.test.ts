import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandResult, RunCommand } from '../../../../scripts/kafka/command.ts';
import { dockerAnswers, startDocker, stopDocker } from '../../../../scripts/kafka/docker.ts';

/** Notes what is run, and answers by the subcommand. */
function docker(exitCodes: Readonly<Record<string, number>>) {
  const commands: string[] = [];
  const run: RunCommand = async (program, args) => {
    const words = args.filter((word) => !word.startsWith('--') && !word.endsWith('.yml'));
    const command = [program, ...words].join(' ');
    commands.push(command);
    const exitCode = exitCodes[command];
    if (exitCode === undefined) return { outcome: 'missing' };
    return { outcome: 'ended', exitCode, output: 'Cannot connect to the Docker daemon.\n' };
  };
  return { run, commands };
}

test('Docker counts only with an engine that answers, and Compose', async () => {
  const compose = { 'docker compose version': 0 };
  assert.equal(await dockerAnswers(docker({ 'docker info': 0, ...compose }).run), true);
  assert.equal(await dockerAnswers(docker({ 'docker info': 1, ...compose }).run), false);
  assert.equal(await dockerAnswers(docker({ 'docker info': 0 }).run), false);
  assert.equal(await dockerAnswers(docker({}).run), false);
  assert.equal(
    await dockerAnswers(async (): Promise<CommandResult> => ({ outcome: 'timed-out' })),
    false,
  );
});

test('start waits for the health check; stop takes it down', async () => {
  const { run, commands } = docker({ 'docker compose up': 0, 'docker compose down': 0 });
  assert.deepEqual(await startDocker(run), { ok: true });
  assert.deepEqual(await stopDocker(run), { ok: true });
  assert.deepEqual(commands, ['docker compose up', 'docker compose down']);
});

test('a failure is told with what Docker said', async () => {
  const failed = await startDocker(docker({ 'docker compose up': 1 }).run);
  assert.match(failed.ok ? '' : failed.reason, /`docker compose up` failed: Cannot connect/);
  const missing = await startDocker(docker({}).run);
  assert.deepEqual(missing, { ok: false, reason: 'Docker is not installed.' });
});
