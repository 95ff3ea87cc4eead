import { fileURLToPath } from 'node:url';
import type { RunCommand } from './command.ts';
import { lastLines, runCommand } from './command.ts';

const composeFile = fileURLToPath(new URL('../../docker-compose.yml', import.meta.url));

/** Where the broker of docker-compose.yml listens. */
export const dockerBroker = '127.0.0.1:9092';

/** How a step with Docker ended; `reason` is one sentence. */
export type DockerResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Whether an engine answers and the CLI has Compose: the CLI alone says nothing of either. */
export async function dockerAnswers(run: RunCommand = runCommand): Promise<boolean> {
  for (const args of [['info'], ['compose', 'version']]) {
    const result = await run('docker', args, { timeoutMs: 10_000 });
    if (result.outcome !== 'ended' || result.exitCode !== 0) return false;
  }
  return true;
}

/** Starts the broker of docker-compose.yml, and waits until its health check holds. */
export async function startDocker(run: RunCommand = runCommand): Promise<DockerResult> {
  return compose(run, ['up', '--detach', '--wait'], 10 * 60_000);
}

/** Stops it and removes its data. */
export async function stopDocker(run: RunCommand = runCommand): Promise<DockerResult> {
  return compose(run, ['down'], 60_000);
}

async function compose(
  run: RunCommand,
  args: readonly string[],
  timeoutMs: number,
): Promise<DockerResult> {
  const command = `docker compose ${args[0]}`;
  const result = await run('docker', ['compose', '--file', composeFile, ...args], { timeoutMs });
  if (result.outcome === 'missing') return { ok: false, reason: 'Docker is not installed.' };
  if (result.outcome === 'timed-out') {
    return { ok: false, reason: `\`${command}\` did not finish in ${timeoutMs / 1_000} s.` };
  }
  if (result.exitCode === 0) return { ok: true };
  return { ok: false, reason: `\`${command}\` failed: ${lastLines(result.output, 5)}` };
}
