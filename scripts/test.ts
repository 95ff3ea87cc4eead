/**
 * `npm test [-- FILE-OR-DIRECTORY...]`: all test files, or those named, on one real Kafka that is
 * started here and told to them by `TEST_KAFKA`. Arguments that begin with `--` go to `node --test`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { testKafkaVariable, testTenants } from '../test/support/kafka.ts';
import { KafkaCluster } from './kafka/cluster.ts';
import { KafkaStartError } from './kafka/start-error.ts';

/** A test that hangs fails. None takes two minutes, but on a machine that is busy with something else. */
const testTimeoutMs = 8 * 60_000;
/** So does a file whose tests are over and that does not end, which the former does not see. */
const runTimeoutMs = 60 * 60_000;

const given = process.argv.slice(2);
const options = given.filter((argument) => argument.startsWith('--'));
const named = given.filter((argument) => !argument.startsWith('--'));
const files = new Set<string>();
for (const name of named.length > 0 ? named : ['test']) {
  const found = testFiles(name);
  if (found.length === 0) {
    console.error(`There is no test file ${name}, and none in a directory of that name.`);
    process.exit(1);
  }
  for (const file of found) files.add(file);
}

const cluster = [...files].some(usesKafka) ? await startKafka() : null;
const env = { ...process.env };
if (cluster !== null) env[testKafkaVariable] = JSON.stringify(cluster.coordinates);
const tests = spawn(
  process.execPath,
  ['--test', `--test-timeout=${testTimeoutMs}`, '--test-concurrency=2', ...options, ...files],
  { stdio: 'inherit', env },
);
// Ctrl-C reaches both; the tests end first, then what they stand on.
process.on('SIGINT', () => tests.kill('SIGINT'));
process.on('SIGTERM', () => tests.kill('SIGTERM'));
const deadline = setTimeout(() => {
  console.error(`The tests did not end in ${runTimeoutMs / 60_000} minutes.`);
  // The runner then names the files that it was in.
  tests.kill('SIGINT');
}, runTimeoutMs);
await once(tests, 'exit');
clearTimeout(deadline);
await cluster?.stop();
const { exitCode, signalCode } = tests;
process.exitCode = exitCode ?? 128 + (signalCode === null ? 0 : constants.signals[signalCode]);

/** Those that a path or a pattern stands for; a directory stands for all in it. */
function testFiles(name: string): string[] {
  const isDirectory = statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
  return globSync(isDirectory ? join(name, '**/*.test.ts') : name).toSorted();
}

/** Unit tests do without; whoever set the variable has a cluster already. */
function usesKafka(file: string): boolean {
  return (
    process.env[testKafkaVariable] === undefined && relative('test/unit', file).startsWith('..')
  );
}

async function startKafka(): Promise<KafkaCluster | null> {
  try {
    return await KafkaCluster.start(testTenants);
  } catch (error) {
    if (!(error instanceof KafkaStartError)) throw error;
    // The tests that need it fail with the same sentence; the others still count.
    console.error(error.message);
    return null;
  }
}
