import type { Java } from './java.ts';
import { findJava, oldestJava } from './java.ts';
import type { RunCommand } from './command.ts';
import { runCommand } from './command.ts';
import { dockerAnswers } from './docker.ts';
import { cachedLibs } from './libs.ts';

/** Which Kafka a run on this machine takes. `sentence` says so to whoever started it. */
export type KafkaChoice = { readonly sentence: string } & (
  | { readonly kind: 'brokers'; readonly brokers: readonly string[] }
  | { readonly kind: 'java' }
  | { readonly kind: 'docker' }
  | { readonly kind: 'embedded' }
);

/** What can be found out about this machine. Asked in this order, and only as far as needed. */
export interface KafkaProbes {
  java(): Promise<Java>;
  /** Whether an earlier run has left Kafka's jars. */
  libsCached(): boolean;
  maven(): Promise<boolean>;
  docker(): Promise<boolean>;
}

export const machineProbes: KafkaProbes = {
  java: () => findJava(),
  libsCached: () => cachedLibs() !== null,
  maven: () => findMaven(),
  docker: () => dockerAnswers(),
};

export async function findMaven(run: RunCommand = runCommand): Promise<boolean> {
  const result = await run('mvn', ['-version']);
  return result.outcome === 'ended' && result.exitCode === 0;
}

/**
 * The first that there is: the brokers of `MILLRACE_KAFKA_BROKERS` (`host:port`, by commas); a
 * broker on this machine's Java; one in Docker; the log embedded in Millrace.
 */
export async function chooseKafka(
  env: NodeJS.ProcessEnv = process.env,
  probes: KafkaProbes = machineProbes,
): Promise<KafkaChoice> {
  const brokers = (env['MILLRACE_KAFKA_BROKERS'] ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (brokers.length > 0) {
    const sentence = `Using the Kafka at ${brokers.join(', ')}, which MILLRACE_KAFKA_BROKERS names.`;
    return { kind: 'brokers', brokers, sentence };
  }
  const java = await probes.java();
  if (java.ok && (probes.libsCached() || (await probes.maven()))) {
    return { kind: 'java', sentence: `Using a real Kafka on Java ${java.version}.` };
  }
  if (await probes.docker()) {
    return { kind: 'docker', sentence: 'Using a real Kafka in Docker.' };
  }
  const missing = java.ok ? 'Maven is not installed' : java.reason.replace(/\.$/, '');
  return {
    kind: 'embedded',
    sentence:
      `Using the embedded log, for ${missing} and no Docker engine answers; for a real Kafka ` +
      `install Java ${oldestJava} or later with Maven, start Docker, or set MILLRACE_KAFKA_BROKERS.`,
  };
}
