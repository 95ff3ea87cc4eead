/**
 * `npm run test:chaos [-- FAULTS]`: breaks so many things (by default 30), one after the other, under three
 * brokers and two servers, and judges what subscribers got that always come back with their cursor. The
 * seed is printed and can be given as `MILLRACE_SEED`. Exits 1 if anything was lost, came twice, in disorder or
 * to the wrong project, was not in the log, or was called lost; if nothing flowed for 30 s; if a control
 * found nothing; or if Kafka has not what it acknowledged. Ends within 12 minutes: what is left of the
 * faults by then is left out, and that is said.
 */
import { availableParallelism, loadavg } from 'node:os';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { Dice } from '../model/dice.ts';
import { testTenants } from '../support/kafka.ts';
import { type FaultName, faults, pick } from './faults.ts';
import { isClean } from './judge.ts';
import { runChaos } from './run.ts';

/** For faults, in milliseconds: start, end and judgement come on top. */
const faultsWithinMs = 7 * 60_000;
/** Between two events of a subscriber: from a killed leader on, it is flowing again by then. */
const mostSilenceMs = 30_000;
/** Brokers, servers and clients of this run take some of it. */
const mostLoadPerCore = 4;
/** Of what Kafka has lost. */
const mostShown = 5;

const count = Number(process.argv[2] ?? 30);
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000_000);
console.log(`MILLRACE_SEED=${seed}`);

const dice = new Dice(seed);
const names: FaultName[] = Object.keys(faults).filter((name): name is FaultName => name in faults);
// Each of them once before any comes again.
const plan = Array.from({ length: Math.ceil(count / names.length) }, () => shuffled(names))
  .flat()
  .slice(0, count);

const kafka = await KafkaCluster.start({ ...testTenants, nodes: 3 });
try {
  const { verdicts, falselyAcknowledged, ...figures } = await runChaos(kafka, {
    seed,
    plan,
    faultsWithinMs,
    comingBack: ['cursor', 'since its last event', 'without a word'],
    log: (line) => console.log(line),
  });
  console.log(JSON.stringify(figures));
  for (const { name, comingBack, verdict, details } of verdicts) {
    console.log(JSON.stringify({ name, ...verdict }));
    if (comingBack !== 'cursor' || isClean(verdict)) continue;
    tellWrong(name);
    for (const detail of details) console.log(`  ${detail}`);
  }
  if (falselyAcknowledged.length > 0) {
    tellWrong(`the log has not ${falselyAcknowledged.length} of the events that were acknowledged`);
    for (const one of falselyAcknowledged.slice(0, mostShown)) {
      console.log(`  ${JSON.stringify(one)}`);
    }
  }
  if (figures.longestSilenceMs > mostSilenceMs) {
    const [, load = 0] = loadavg();
    // Of a machine with much else to do it says nothing.
    if (load > mostLoadPerCore * availableParallelism()) {
      console.log(`the machine was too busy to judge how long nothing flowed: load ${load}`);
    } else tellWrong('nothing flowed for too long');
  }
  const controls = verdicts.filter(({ comingBack }) => comingBack !== 'cursor');
  if (controls.every(({ verdict }) => isClean(verdict))) tellWrong('the controls found nothing');
  console.log(process.exitCode === 1 ? 'WRONG' : 'all exact');
} finally {
  await kafka.stop();
}

function tellWrong(what: string): void {
  console.log(`WRONG: ${what}`);
  process.exitCode = 1;
}

function shuffled(all: readonly FaultName[]): FaultName[] {
  const left = [...all];
  const drawn: FaultName[] = [];
  while (left.length > 0) {
    const one = pick(left, dice);
    left.splice(left.indexOf(one), 1);
    drawn.push(one);
  }
  return drawn;
}
