/**
 * `npm run test:overload [-- NAME...]`: has more come to a server than it can serve, and says what it did with it. All
 * of them, or those that are named. Prints figures, one line of JSON for each; exits 1 if one is not as
 * docs/faults.md has it. For Linux, with 12,000 files to open for each process.
 */
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { testTenants } from '../support/kafka.ts';
import { flood } from './flood.ts';
import type { OverloadOptions } from './setting.ts';
import { shed, type ShedFigures } from './shed.ts';
import { storm } from './storm.ts';

type Scenario = (options: Omit<OverloadOptions, 'clients'>) => Promise<{
  readonly figures: object;
  /** What is not as it should be. */
  readonly wrong: readonly (string | false)[];
}>;

const scenarios: Readonly<Record<string, Scenario>> = {
  async storm(options) {
    const figures = await storm({ ...options, clients: 10_000 });
    return {
      figures,
      wrong: [
        figures.allBackMs > 60_000 && 'not all were back within 60 s',
        figures.logins > 100 && 'there were too many logins',
        figures.anomalies > 0 && 'not every event came once',
      ],
    };
  },
  async heap(options) {
    const nodeOptions = ['--max-old-space-size=80'];
    const figures = await shed({
      ...options,
      clients: 2_700,
      handshakesAtOnce: 100,
      process: { nodeOptions },
    });
    return { figures, wrong: wrongIn(figures, 2_700) };
  },
  async descriptors(options) {
    const figures = await shed({ ...options, clients: 600, process: { maxOpenFiles: 256 } });
    return { figures, wrong: wrongIn(figures, 600) };
  },
  async flood(options) {
    const settings = { MILLRACE_LIMITS_BYTES_PER_SECOND_PER_PROJECT: '4MiB' };
    const figures = await flood({ ...options, clients: 50, rounds: 3, seconds: 20, settings });
    return {
      figures,
      wrong: [
        figures.flooded.p99Ms > 2 * figures.idle.p99Ms && 'the other tenant was slowed down',
        figures.disconnected > 0 && 'the other tenant lost connections',
        figures.anomalies > 0 && 'not every event came once',
      ],
    };
  },
};

const named = process.argv.slice(2);
const kafka = await KafkaCluster.start(testTenants);
try {
  for (const [name, run] of Object.entries(scenarios)) {
    if (named.length > 0 && !named.includes(name)) continue;
    const log = (line: string): void => console.error(`${name}: ${line}`);
    const { figures, wrong } = await run({ kafka, log });
    console.log(JSON.stringify({ name, ...figures }));
    for (const what of wrong.filter((one) => one !== false)) {
      console.log(`WRONG: ${what}`);
      process.exitCode = 1;
    }
  }
} finally {
  await kafka.stop();
}

function wrongIn(figures: ShedFigures, clients: number): (string | false)[] {
  const { admitted, admittedLater, unclear, health, anomalies, isRunning } = figures;
  return [
    !isRunning && 'the server is gone',
    admitted === clients && 'nobody was turned away',
    unclear > 0 && 'some were turned away without a word',
    health.some((status) => status === 0) && 'health was not told',
    admittedLater < Math.floor(admitted / 4) && 'there was no room when some had left',
    anomalies > 0 && 'not every event came once',
  ];
}
