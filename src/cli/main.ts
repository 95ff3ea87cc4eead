#!/usr/bin/env node
import { Command, Option } from 'commander';
import { checkConfig } from './check-config.ts';
import { version } from '../observe/build-info.ts';
import { hashKey } from './hash-key.ts';
import { nodeProblem } from './node-version.ts';
import { serve } from './serve.ts';
import { runWorker } from './worker.ts';

/** Exit codes: 0 done; 1 it could not be done; 2 the command line makes no sense. */
const usageError = 2;

interface ConfigOption {
  readonly config?: string;
}

// Otherwise the first thing that an older one lacks would be told, by its name.
const problem = nodeProblem(process.version);
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}

const program = new Command('millrace')
  .description('Puts Kafka topics in front of browsers and apps: ordered, without duplicates.')
  .version(version)
  .showHelpAfterError('(see millrace --help)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : usageError));

program
  .command('serve')
  .description('run the server; prints one line with its address when it accepts connections')
  .addOption(configOption())
  .action(async ({ config }: ConfigOption) => {
    await serve(config);
  });

// What `serve` starts when `workers` is more than 1: not for people.
program
  .command('worker', { hidden: true })
  .argument('<number>')
  .argument('<host>')
  .argument('<port>')
  .addOption(configOption())
  .action(async (number: string, host: string, port: string, { config }: ConfigOption) => {
    await runWorker(config, { number: Number(number), host, port: Number(port) });
  });

program
  .command('check-config')
  .description('print every problem of the configuration; exit with 1 if there is one')
  .addOption(configOption())
  .action(({ config }: ConfigOption) => {
    process.exitCode = checkConfig(config);
  });

program
  .command('hash-key')
  .description('read a key on standard input, print its digest for auth.projects[].keys[].sha256')
  // Taken only to be refused: the usual complaints repeat what they are about, which is a key.
  .allowExcessArguments()
  .allowUnknownOption()
  .action(async (_options: unknown, command: Command) => {
    if (command.args.length > 0) {
      command.error('error: the key goes in on standard input: printf %s KEY | millrace hash-key');
    }
    process.exitCode = await hashKey();
  });

program.addHelpText(
  'after',
  `
Every setting has an environment variable as well, which wins over the file:
  kafka.brokers  ->  MILLRACE_KAFKA_BROKERS=a:9092,b:9092
All settings: docs/configuration.md

Examples:
  millrace check-config --config millrace.yaml
  millrace serve --config millrace.yaml
  printf %s "$KEY" | millrace hash-key`,
);

await program.parseAsync();

function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file, YAML').env('MILLRACE_CONFIG');
}
