import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeringWithin } from '../../../src/kafka/answer-deadline.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import type { KafkaClient } from '../../../src/kafka/port.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function embedded(): KafkaClient {
  const kafka = new EmbeddedKafka({ clock: new ManualClock(), clusterId: 'c' });
  kafka.createTopic('t', 1);
  return kafka.driver().connect(null);
}

/** A cluster that takes questions and answers none. */
function silent(): KafkaClient {
  const client = embedded();
  return {
    login: never,
    clusterId: never,
    listTopics: never,
    describeTopics: never,
    listOffsets: never,
    openReader: (options) => client.openReader(options),
    close: () => client.close(),
  };
}

function never<T>(): Promise<T> {
  return Promise.withResolvers<T>().promise;
}

const questions: Readonly<Record<string, (client: KafkaClient) => Promise<unknown>>> = {
  login: (client) => client.login(),
  clusterId: (client) => client.clusterId(),
  listTopics: (client) => client.listTopics(),
  describeTopics: (client) => client.describeTopics(['t']),
  listOffsets: (client) => client.listOffsets(['t'], 'latest'),
};

for (const [name, ask] of Object.entries(questions)) {
  test(`${name}: an answer passes, silence is UNAVAILABLE in time`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const client = embedded();
    assert.deepEqual(await ask(answeringWithin(client, 1_000)), await ask(client));

    let settled = false;
    const asked = ask(answeringWithin(silent(), 1_000)).finally(() => {
      settled = true;
    });
    const refused = assert.rejects(asked, { code: 'UNAVAILABLE' });
    t.mock.timers.tick(999);
    await Promise.resolve();
    assert.equal(settled, false);
    t.mock.timers.tick(1);
    await refused;
  });
}

test('a refusal passes as it is', async () => {
  const kafka = new EmbeddedKafka({ clock: new ManualClock(), users: [] });
  const client = answeringWithin(kafka.driver().connect(null));
  await assert.rejects(client.login(), { code: 'AUTHENTICATION_FAILED' });
});
