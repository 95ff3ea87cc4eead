import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  type Member,
  MetricsExchange,
  MetricsOfAll,
  type SupervisorMessage,
} from '../../../src/cli/metrics-exchange.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const head = '# HELP m What it is\n# TYPE m gauge\n';

/** Workers and their supervisor in one process, whose messages pass at once unless a worker is `deaf`. */
function workers(count: number) {
  const clock = new ManualClock();
  const exchange = new MetricsExchange(clock);
  const deaf = new Set<number>();
  let asked = 0;
  const made = Array.from({ length: count }, (_, index) => {
    const member: Member = {
      send(message: SupervisorMessage) {
        if (message.kind === 'showMetrics') asked += 1;
        if (!deaf.has(index)) void worker.receive(message);
      },
    };
    const worker = new MetricsOfAll(clock, (message) => exchange.receive(member, message));
    worker.begin(async () => `${head}m{worker="${index}"} ${index}\n`);
    exchange.join(member);
    return { worker, member };
  });
  const at = (index: number) => made[index] ?? assert.fail();
  return { clock, exchange, deaf, at, asked: () => asked };
}

test('whichever worker is asked shows the metrics of all, each family once', async () => {
  const { at } = workers(3);
  const expected = `${head}m{worker="0"} 0\nm{worker="1"} 1\nm{worker="2"} 2\n`;
  assert.equal(await at(1).worker.text(), expected);
  assert.equal(await at(2).worker.text(), expected);
});

test('however many ask at once, each worker is asked once', async () => {
  const { at, asked } = workers(2);
  const texts = [0, 1, 0, 1, 0].map((index) => at(index).worker.text());
  const [first, ...others] = await Promise.all(texts);
  for (const text of others) assert.equal(text, first);
  assert.equal(asked(), 2);
});

test('a worker that does not answer is left out after a while, one that has gone at once', async () => {
  const { at, deaf, clock, exchange } = workers(3);
  deaf.add(2);
  const text = at(0).worker.text();
  await settle();
  exchange.leave(at(1).member);
  await clock.advance(1_999);
  await settle();
  assert.match(inspect(text), /pending/);
  await clock.advance(1);
  assert.equal(await text, `${head}m{worker="0"} 0\nm{worker="1"} 1\n`);
  exchange.leave(at(2).member);
  assert.equal(await at(0).worker.text(), `${head}m{worker="0"} 0\n`);
});

test('without an answer of the supervisor a worker shows its own', async () => {
  const clock = new ManualClock();
  const worker = new MetricsOfAll(clock, () => undefined);
  worker.begin(async () => 'own');
  const text = worker.text();
  await clock.advance(4_000);
  assert.equal(await text, 'own');
});
