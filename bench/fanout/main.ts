/**
 * What it costs to send each event to many, on a real Kafka, against what nobody can do without.
 *
 *     node bench/fanout/main.ts [--rounds 5] [--seconds 10] [SCENARIO ...]
 *
 * Without a scenario: all of `scenarios.ts`. Four processes take part: Kafka, a producer, the server
 * under test and a client of raw sockets; there is one server at a time, started anew for each run. The
 * variants of a scenario are measured in turn, round after round, so that a slow moment of the machine
 * hits all alike. A message has 440 bytes: the text of the `next` message with `{ id timestamp payload }`.
 *
 * A *turn* is what comes in one answer of Kafka: one event, 20 turns a second, or ten events, 5 turns
 * a second (50 events). With 500 subscribers those are 10,000 and 25,000 deliveries a second, of which the
 * naive stack can just do the latter.
 *
 * Prints lines of JSON: one for each run, then for each variant the medians, then each target with what
 * it came to: a figure of one variant, or its ratio to that of another. `node bench/fanout/plot.ts`
 * makes a picture of them. What the figures are:
 *
 * - `cpuUsPerDelivery`, `cpuUsPerEvent`: processor time of the server, by the kernel's account, from
 *   the first event until the last has arrived everywhere; what it does besides is included
 * - `p50Ms`, `p99Ms`, `maxMs`: from when the producer gave the event to Kafka to when the client read it
 * - `missing`, `outOfPlace`, `silent`: what did not come, came in the wrong place, and subscriptions
 *   that got nothing; anything but 0 is a fault
 * - `serverCpu`, `clientCpu`: shares of one processor; a server near 1 is saturated, and a client near
 *   1 would be measured instead of the server
 * - `loopDelay...`: how late timers of the server fire
 * - `usedMiB`, `bytesPer...`: the JavaScript heap and the buffers beside it, after garbage collection;
 *   `residentMiB`, `residentBytesPer...`: the process, as the kernel sees it
 */
import { parseArgs } from 'node:util';
import { median } from '../measure.ts';
import { NotServed } from './knock.ts';
import { runEvents } from './run-events.ts';
import { runMemory } from './run-memory.ts';
import type { Figures, Scenario, Variant } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { startContestant } from './servers/contestant.ts';
import { openStage, type Stage } from './stage.ts';
import { judge } from './verdict.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const unknown = positionals.filter((name) => !(name in scenarios));
if (unknown.length > 0) {
  console.error(`No scenario ${unknown.join()}; there are: ${Object.keys(scenarios).join(', ')}`);
  process.exit(1);
}

const stage = await openStage();
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    await play(stage, name, scenario);
  }
} finally {
  await stage.close();
}

async function play(stage: Stage, scenario: string, { variants, targets }: Scenario) {
  const taken = new Map<string, Figures[]>();
  const leftOut = new Set<string>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const variant of variants) {
      const { label, contestant } = variant;
      if (leftOut.has(label)) continue;
      try {
        const figures = await run(stage, variant);
        print({ scenario, variant: label, contestant, round, ...rounded(figures) });
        taken.set(label, [...(taken.get(label) ?? []), figures]);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        leftOut.add(label);
        const what = error instanceof NotServed ? 'notServed' : 'failed';
        print({ scenario, variant: label, contestant, round, [what]: error.message });
        if (what === 'failed') process.exitCode = 1;
      }
    }
  }
  const medians = new Map(Array.from(taken, ([label, of]) => [label, mediansOf(of)]));
  for (const [variant, figures] of medians) {
    print({ scenario, variant, medianOf: taken.get(variant)?.length, ...rounded(figures) });
  }
  for (const target of targets) print({ scenario, ...judge(target, medians) });
}

async function run(stage: Stage, { contestant, load }: Variant): Promise<Figures> {
  const server = await startContestant(contestant, stage.source);
  try {
    return load.kind === 'events'
      ? await runEvents(stage, server, load, seconds)
      : await runMemory(stage, server, load);
  } finally {
    await stage.client.call('close');
    await server.stop();
  }
}

function mediansOf(runs: readonly Figures[]): Figures {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(runs.map((figures) => figures[name] ?? Number.NaN))]),
  );
}

function rounded(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [
      name,
      Number.isInteger(value) ? value : Number(value.toPrecision(4)),
    ]),
  );
}

function print(line: object): void {
  console.log(JSON.stringify({ bench: 'fanout', ...line }));
}
