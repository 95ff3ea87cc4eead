/**
 * `npm run test:chaos [-- FAULTS]`: breaks so many things (by default 30), one after the other, under three
 * brokers and two servers, and judges what subscribers got that always come back with their cursor. The
 * seed is printed and can be given as `MILLRACE_SEED`. Exits 1 if anything was lost, came twice, in disorder or
 * to the wrong project, or if a control found nothing.
 */
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { Dice } from '../model/dice.ts';
import { testTenants } from '../support/kafka.ts';
import { type FaultName, faults, pick } from './faults.ts';
import { isClean } from './judge.ts';
import { runChaos } from './run.ts';

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
  const { verdicts, ...figures } = await runChaos(kafka, {
    seed,
    plan,
    comingBack: ['cursor', 'since its last event', 'without a word'],
    log: (line) => console.log(line),
  });
  console.log(JSON.stringify(figures));
  for (const { name, comingBack, verdict, errors, examples } of verdicts) {
    console.log(JSON.stringify({ name, ...verdict, errors: [...new Set(errors)] }));
    if (comingBack !== 'cursor' || isClean(verdict)) continue;
    for (const example of examples) console.log(`  ${example}`);
    process.exitCode = 1;
  }
  const controls = verdicts.filter(({ comingBack }) => comingBack !== 'cursor');
  if (controls.every(({ verdict }) => isClean(verdict))) {
    console.log('the controls found nothing');
    process.exitCode = 1;
  }
  console.log(process.exitCode === 1 ? 'WRONG' : 'all exact');
} finally {
  await kafka.stop();
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
