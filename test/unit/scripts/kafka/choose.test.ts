import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaProbes } from '../../../../scripts/kafka/choose.ts';
import { chooseKafka } from '../../../../scripts/kafka/choose.ts';

const java17 = { ok: true, java: 'java', keytool: 'keytool', version: 17 } as const;

/** A machine with nothing, but for what is given. Notes which probes were asked. */
function machine(
  has: Partial<{ java: boolean; cached: boolean; maven: boolean; docker: boolean }>,
) {
  const asked: string[] = [];
  const probes: KafkaProbes = {
    async java() {
      asked.push('java');
      return has.java === true ? java17 : { ok: false, reason: 'Java is not installed.' };
    },
    libsCached() {
      asked.push('cached');
      return has.cached === true;
    },
    async maven() {
      asked.push('maven');
      return has.maven === true;
    },
    async docker() {
      asked.push('docker');
      return has.docker === true;
    },
  };
  return { probes, asked };
}

test('brokers that are named win, and nothing else is asked', async () => {
  const { probes, asked } = machine({ java: true, maven: true, docker: true });
  const choice = await chooseKafka({ MILLRACE_KAFKA_BROKERS: 'a:9092, b:9092' }, probes);
  assert.equal(choice.kind, 'brokers');
  assert.deepEqual(choice.kind === 'brokers' && choice.brokers, ['a:9092', 'b:9092']);
  assert.deepEqual(asked, []);
});

test('Java with Maven comes before Docker', async () => {
  const { probes, asked } = machine({ java: true, maven: true, docker: true });
  assert.equal((await chooseKafka({ MILLRACE_KAFKA_BROKERS: ' ' }, probes)).kind, 'java');
  assert.deepEqual(asked, ['java', 'cached', 'maven']);
});

test('with the jars on the machine Maven is not needed', async () => {
  const { probes, asked } = machine({ java: true, cached: true });
  assert.equal((await chooseKafka({}, probes)).kind, 'java');
  assert.deepEqual(asked, ['java', 'cached']);
});

test('jars without a Java to run them do not count', async () => {
  const { probes } = machine({ cached: true, maven: true, docker: true });
  assert.equal((await chooseKafka({}, probes)).kind, 'docker');
});

test('with nothing of all that: the embedded log, and how to get a real one', async () => {
  const bare = await chooseKafka({}, machine({}).probes);
  assert.equal(bare.kind, 'embedded');
  assert.match(
    bare.sentence,
    /Java is not installed and no Docker engine.*install Java 17.*Docker/,
  );
  const noMaven = await chooseKafka({}, machine({ java: true }).probes);
  assert.match(noMaven.sentence, /Maven is not installed/);
});
