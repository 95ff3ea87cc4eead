import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaCluster } from '../../../scripts/kafka/cluster.ts';
import { isClean } from '../../chaos/judge.ts';
import { runChaos } from '../../chaos/run.ts';
import { testTenants } from '../../support/kafka.ts';

/** The short form of `npm run test:chaos`. */
test('whatever breaks, who comes back with its cursor has each event once and in order', async (t) => {
  const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000_000);
  t.diagnostic(`MILLRACE_SEED=${seed}`);
  const kafka = await KafkaCluster.start({ ...testTenants, nodes: 3 });
  t.after(() => kafka.stop());
  const { verdicts, falselyAcknowledged, ...figures } = await runChaos(kafka, {
    seed,
    plan: ['server killed', 'leader killed', 'all connections cut', 'partitions added'],
    comingBack: ['cursor', 'without a word'],
    log: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(figures));
  for (const { name, comingBack, verdict, details } of verdicts) {
    if (comingBack !== 'cursor') continue;
    assert.ok(isClean(verdict), `${name}: ${JSON.stringify(verdict)}\n${details.join('\n')}`);
  }
  assert.deepEqual(falselyAcknowledged, [], 'Kafka has not what it acknowledged');
  assert.ok(figures.longestSilenceMs < 30_000, `silence for ${figures.longestSilenceMs} ms`);
  // The control: who comes back without it must have lost something.
  const controls = verdicts.filter(({ comingBack }) => comingBack !== 'cursor');
  assert.ok(controls.some(({ verdict }) => !isClean(verdict)));
});
