/** `npm start`: Kafka, events in it, the server before it; all that it started ends with Ctrl-C. */
import { randomInt } from 'node:crypto';
import { reasonOf } from '../src/cli/reason.ts';
import type { Config } from '../src/config/config.ts';
import { formatProblem } from '../src/config/problem.ts';
import { createLogger } from '../src/observe/logger.ts';
import { type RunningServer, startServer } from '../src/server.ts';
import { banner } from './demo/banner.ts';
import { freePortFrom } from './demo/free-port.ts';
import { graphiqlStart } from './demo/graphiql.ts';
import { mergePlans, produce } from './demo/produce.ts';
import { demoProjectIds, demoProjects } from './demo/projects.ts';
import { type DemoSettings, demoConfig, demoSettings } from './demo/settings.ts';
import { StartError } from './demo/start-error.ts';
import { openSink, type StartedKafka, startKafka } from './demo/start-kafka.ts';
import { untilToldToStop } from './demo/stop-signal.ts';
import { demoPartitions, demoStreams, demoTopics, describeStreams } from './demo/streams.ts';
import { KafkaStartError } from './kafka/start-error.ts';

/** Whoever presses Ctrl-C does not wait longer. */
const stopWithinMs = 8_000;

const { env } = process;
const stack = new AsyncDisposableStack();
let exitCode = 0;
const toldToStop = untilToldToStop();
try {
  await Promise.race([toldToStop, start()]);
  await toldToStop;
} catch (error) {
  if (!(error instanceof StartError || error instanceof KafkaStartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  exitCode = 1;
}
setTimeout(() => {
  process.stderr.write('Stopping takes too long: giving up.\n');
  process.exit(1);
}, stopWithinMs).unref();
await stack.disposeAsync();
process.exit(exitCode);

async function start(): Promise<void> {
  const settings = demoSettings(env);
  const kafka = await startKafka({ env, say, stack });
  const config = await configFor(kafka);
  const { url } = await serve(config, kafka);
  if (settings.producer) await startProducer(settings, config, kafka);
  say(
    banner({
      url,
      brokers: config.kafka.brokers,
      isForeign: kafka.isForeign,
      projects: demoProjects,
      producing: settings.producer ? describeStreams(demoProjects.length, settings.rate) : null,
    }),
  );
}

async function configFor(kafka: StartedKafka): Promise<Config> {
  const { config, problems } = demoConfig(kafka.settings, env);
  if (config === null) throw new StartError(problems.map(formatProblem).join('\n'));
  if (config.workers > 1) say('The demo runs in one process; `millrace serve` heeds `workers`.\n');
  const { host, port, ...others } = config.listen;
  if (env['MILLRACE_LISTEN_PORT']) return config;
  const free = await freePortFrom(host, port);
  if (free !== port) say(`Port ${port} is in use, so the server takes ${free}.\n`);
  return { ...config, listen: { ...others, host, port: free } };
}

async function serve(config: Config, kafka: StartedKafka): Promise<RunningServer> {
  const [project] = demoProjects;
  const [, { key }] = project.keys;
  try {
    const server = await startServer(config, {
      logger: createLogger({ level: config.log.level }),
      graphiql: graphiqlStart(project.id, key),
      console: { projectId: project.id, key },
      ...(kafka.embedded === null ? {} : { driver: kafka.embedded.driver() }),
    });
    stack.defer(() => server.close());
    return server;
  } catch (error) {
    throw new StartError(`The server cannot start: ${reasonOf(error)}`, { cause: error });
  }
}

async function startProducer(
  { rate }: DemoSettings,
  config: Config,
  kafka: StartedKafka,
): Promise<void> {
  const sink = await openSink(kafka, config);
  stack.defer(() => sink.close());
  const naming = config.kafka;
  const created = await sink.createTopics(demoTopics(naming, demoProjectIds), demoPartitions);
  if (kafka.isForeign) {
    const topics =
      created.length === 0 ? 'None had to be created.' : `Created: ${created.join(', ')}.`;
    say(`The demo writes to its own topics there (MILLRACE_DEMO=off: it does not). ${topics}\n`);
  }
  const streams = demoStreams({
    ...naming,
    projectIds: demoProjectIds,
    seed: randomInt(2 ** 32),
    startMs: Date.now(),
    rate,
  });
  const ending = new AbortController();
  const producing = produce({
    plan: mergePlans(streams),
    sink,
    signal: ending.signal,
    onTrouble: (reason) => say(`The demo's events cannot be written, but it tries on: ${reason}\n`),
  });
  stack.defer(async () => {
    ending.abort();
    await producing;
  });
}

function say(text: string): void {
  process.stdout.write(text);
}
