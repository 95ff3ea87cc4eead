/** `npm run kafka -- [--nodes 3] [--port 9092] [--data FOLDER]`: a real Kafka in the foreground. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { KafkaCluster } from './kafka/cluster.ts';
import { KafkaStartError } from './kafka/start-error.ts';
import { listeners } from './kafka/properties.ts';

const usage = 'npm run kafka -- [--nodes 1|3] [--port FIRST_PORT] [--data FOLDER]';

await main().catch((error: unknown) => {
  if (!(error instanceof KafkaStartError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
});

/** @throws {KafkaStartError} with the usage, also when that is what was asked for */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        nodes: { type: 'string', default: '1' },
        port: { type: 'string', default: '9092' },
        data: { type: 'string' },
      },
    });
    return values;
  } catch {
    throw new KafkaStartError(`Usage: ${usage}`);
  }
}

async function main(): Promise<void> {
  const values = readArguments();
  const nodes = values.nodes === '1' ? 1 : 3;
  const firstPort = Number(values.port);
  if (String(nodes) !== values.nodes || !Number.isInteger(firstPort)) {
    throw new KafkaStartError(`Usage: ${usage}`);
  }
  const told = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  const cluster = await KafkaCluster.start({
    nodes,
    firstPort,
    projects: [{ id: 'demo', keys: ['demo-master-key'] }],
    users: [
      { name: 'bridge', password: 'bridge-secret', acls: [{ pattern: 'literal', topic: '*' }] },
    ],
    ...(values.data === undefined ? {} : { dataDir: values.data }),
  });
  for (const listener of listeners) {
    console.log(`${listener.padEnd(14)} ${cluster.bootstrap(listener).join(',')}`);
  }
  console.log('Project demo / demo-master-key (PLAIN) reads demo.*; user bridge / bridge-secret');
  console.log('(PLAIN, SCRAM) reads all topics. Ctrl-C stops it.');
  const reason = await Promise.race([told.then(() => null), cluster.untilAllEnded()]);
  await cluster.stop();
  if (reason !== null) throw new KafkaStartError(reason);
}
