import { randomUUID } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunCommand } from './command.ts';
import { lastLines, runCommand } from './command.ts';

const pomFile = fileURLToPath(new URL('pom.xml', import.meta.url));

/** The broker's jars on this machine, or one sentence that says why they are not. */
export type KafkaLibs =
  | { readonly ok: true; readonly libsDir: string; readonly version: string }
  | { readonly ok: false; readonly reason: string };

/** `KAFKA_CACHE_DIR`, else `.cache` in the checkout. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['KAFKA_CACHE_DIR'] ?? '';
  return chosen === '' ? fileURLToPath(new URL('../../.cache', import.meta.url)) : chosen;
}

/** @throws if the pom does not name `kafka.version`. */
export function kafkaVersion(pom: string = readFileSync(pomFile, 'utf8')): string {
  const version = /<kafka\.version>\s*([^<\s]+)\s*<\/kafka\.version>/.exec(pom)?.[1];
  if (version === undefined) throw new Error('scripts/kafka/pom.xml names no kafka.version.');
  return version;
}

/** The jars of an earlier `fetchLibs`, or `null`. */
export function cachedLibs(env: NodeJS.ProcessEnv = process.env): KafkaLibs | null {
  const version = kafkaVersion();
  const libsDir = join(cacheDir(env), 'kafka', version, 'libs');
  return existsSync(libsDir) ? { ok: true, libsDir, version } : null;
}

/**
 * The jars, downloaded by Maven where an earlier run has not left them. The folder appears by one
 * rename, so it is whole if it is there; of two processes that download at once, the second takes
 * what the first renamed.
 */
export async function fetchLibs(
  env: NodeJS.ProcessEnv = process.env,
  run: RunCommand = runCommand,
): Promise<KafkaLibs> {
  const cached = cachedLibs(env);
  if (cached !== null) return cached;
  const version = kafkaVersion();
  const libsDir = join(cacheDir(env), 'kafka', version, 'libs');
  const refusal = refusalToWrite(dirname(libsDir));
  if (refusal !== null) {
    const reason = `Cannot write to ${cacheDir(env)} (${refusal}). Make it writable, or set KAFKA_CACHE_DIR to a folder that is.`;
    return { ok: false, reason };
  }
  const download = `${libsDir}.${randomUUID()}`;
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${download}`];
  const timeoutMs = 10 * 60_000;
  try {
    const result = await run('mvn', ['-B', '-q', '-f', pomFile, ...goal], { timeoutMs });
    if (result.outcome === 'missing') return { ok: false, reason: 'Maven is not installed.' };
    if (result.outcome === 'timed-out') {
      return { ok: false, reason: `Maven did not finish in ${timeoutMs / 60_000} minutes.` };
    }
    if (result.exitCode !== 0) {
      const detail = lastLines(result.output, 5);
      return { ok: false, reason: `Maven could not download Kafka ${version}: ${detail}` };
    }
    try {
      renameSync(download, libsDir);
    } catch (error) {
      // Another process was faster; any other cause leaves no folder and is shown.
      if (!existsSync(libsDir)) throw error;
    }
    return { ok: true, libsDir, version };
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}

/** The code of the error that keeps files from being made in the folder; `null`: nothing does, and it is there. */
function refusalToWrite(folder: string): string | null {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}
