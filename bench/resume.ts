/**
 * What coming back costs, on a real Kafka: `node bench/resume.ts [kafkajs|platformatic] [SCENARIO ...]`.
 *
 * - `first`: how soon the first event comes after a resume, from memory and from the log.
 * - `return`: a thousand clients with cursors spread over an hour of log come back at once: without a filter to
 *   20,000 events, and with a filter for each to 1,000,000.
 * - `behind`: a client takes nothing while 1,000,000 events go by, then catches up.
 *
 * Prints lines of JSON. It fails where something is lost, repeated or, in `behind`, in another order than a fast
 * client has it.
 */
import { KafkaCluster } from '../scripts/kafka/cluster.ts';
import { runBehind } from './resume/behind.ts';
import { runFirst } from './resume/first.ts';
import { runReturn } from './resume/return.ts';
import { openStage, type Stage } from './resume/stage.ts';

const scenarios: Readonly<Record<string, (stage: Stage) => Promise<readonly object[]>>> = {
  first: runFirst,
  return: async (stage) => [
    await runReturn(stage, { clients: 1_000, events: 20_000, filters: false }),
  ],
  'return-filtered': async (stage) => [
    await runReturn(stage, { clients: 1_000, events: 1_000_000, filters: true }),
  ],
  behind: async (stage) => [await runBehind(stage, 1_000_000)],
};

function isWrong(figures: object): boolean {
  if ('identical' in figures && figures.identical === false) return true;
  return 'clientsWithLossOrRepeat' in figures && figures.clientsWithLossOrRepeat !== 0;
}

const [driver = 'kafkajs', ...named] = process.argv.slice(2);

const cluster = await KafkaCluster.start({ jvmOptions: ['-Xms512m', '-Xmx1g'] });
try {
  for (const [scenario, run] of Object.entries(scenarios)) {
    if (named.length > 0 && !named.includes(scenario)) continue;
    const stage = await openStage(cluster, scenario, driver);
    for (const figures of await run(stage)) {
      console.log(JSON.stringify({ bench: 'resume', scenario, driver, ...figures }));
      if (isWrong(figures)) process.exitCode = 1;
    }
    await stage.log.close();
  }
} finally {
  await cluster.stop();
}
