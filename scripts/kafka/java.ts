import { join } from 'node:path';
import type { RunCommand } from './command.ts';
import { runCommand } from './command.ts';

/** Kafka 4's broker needs it. */
export const oldestJava = 17;

/** What this machine has, or one sentence that says why it will not do. */
export type Java =
  | {
      readonly ok: true;
      readonly java: string;
      /** Comes with every JDK and JRE; makes the certificates. */
      readonly keytool: string;
      readonly version: number;
    }
  | { readonly ok: false; readonly reason: string };

/** Looks in `JAVA_HOME`, then on the path. */
export async function findJava(
  run: RunCommand = runCommand,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Java> {
  const home = env['JAVA_HOME'] ?? '';
  const program = (name: string) => (home === '' ? name : join(home, 'bin', name));
  const java = program('java');
  const keytool = program('keytool');
  const [result, tool] = await Promise.all([run(java, ['-version']), run(keytool, ['-help'])]);
  if (result.outcome === 'missing') {
    return {
      ok: false,
      reason: home === '' ? 'Java is not installed.' : `JAVA_HOME (${home}) holds no bin/java.`,
    };
  }
  if (result.outcome === 'timed-out') return { ok: false, reason: '`java -version` hangs.' };
  const version = javaVersion(result.output);
  if (result.exitCode !== 0 || version === null) {
    return { ok: false, reason: '`java -version` does not name a version.' };
  }
  if (version < oldestJava) {
    return { ok: false, reason: `Java ${version} is too old: Kafka needs ${oldestJava}.` };
  }
  // Some packages install only `java`, and a folder on the path may hold a link to nothing else.
  if (tool.outcome === 'missing') {
    const place = home === '' ? 'on the path' : `in JAVA_HOME (${home})`;
    return {
      ok: false,
      reason: `Java ${version} comes without its keytool: there is none ${place}.`,
    };
  }
  return { ok: true, java, keytool, version };
}

/** The major version in the output of `java -version`: 8 of `"1.8.0_392"`, 17 of `"17.0.15"`. */
export function javaVersion(output: string): number | null {
  const match = /version "(?:1\.)?(\d+)/.exec(output);
  return match === null ? null : Number(match[1]);
}
