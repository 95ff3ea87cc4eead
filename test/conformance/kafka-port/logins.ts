import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { RunningTime } from '../../support/running-time.ts';
import type { KafkaSasl } from '../../../src/kafka/port.ts';
import type { KafkaPortCapabilities, KafkaPortSetup } from './setup.ts';
import { kafkaError, play } from './tape.ts';
import { adminClient, clientOf, numbered, topicName } from './topic.ts';

/** Who may read what, and what becomes of those who may not. */
export function loginTests(
  setup: () => KafkaPortSetup,
  { mechanisms, tls }: KafkaPortCapabilities,
): void {
  for (const mechanism of mechanisms) {
    for (const over of tls && mechanism !== 'OAUTHBEARER' ? [false, true] : [false]) {
      const way = `${mechanism} ${over ? 'over TLS' : 'without TLS'}`;

      test(`reads as a user of ${way}`, async (t) => {
        const { sasl, prefix } = await setup().createLogin(mechanism);
        const topic = topicName(prefix);
        await setup().createTopic(topic, 2);
        await setup().produce(topic, [...numbered(0, 0, 3), ...numbered(1, 0, 3)]);
        const given = { ...sasl };
        const client = clientOf(t, setup(), sasl, { tls: over });
        await client.login();
        const tape = play(t, client, topic, [0, 0]);
        await tape.untilRecords(6);
        assert.deepEqual(sasl, given, 'it is left as it was');
      });

      test(`refuses wrong credentials of ${way}`, async (t) => {
        const { sasl, prefix } = await setup().createLogin(mechanism);
        const topic = topicName(prefix);
        await setup().createTopic(topic, 1);
        const client = clientOf(t, setup(), wrong(sasl), { tls: over });
        await assert.rejects(client.login(), refusedWithoutSecrets);
        await assert.rejects(client.describeTopics([topic]), refusedWithoutSecrets);
        const tape = play(t, client, topic, [0]);
        const failure = await tape.untilFailed();
        refusedWithoutSecrets(failure);
        assert.deepEqual(tape.batches, []);
      });
    }
  }

  const [known] = mechanisms;

  test('answers nothing for a topic of others', { skip: !known }, async (t) => {
    if (!known) return;
    const { sasl, prefix } = await setup().createLogin(known);
    const own = topicName(prefix);
    const foreign = topicName('foreign.');
    await setup().createTopic(own, 1);
    await setup().createTopic(foreign, 1);
    await setup().produce(foreign, numbered(0, 0, 1));
    const client = clientOf(t, setup(), sasl);
    const described = await client.describeTopics([own, foreign]);
    assert.ok(!(described.get(own) instanceof Error));
    kafkaError('NOT_AUTHORIZED')(described.get(foreign));
    kafkaError('NOT_AUTHORIZED')((await client.listOffsets([foreign], 'latest')).get(foreign));
    assert.ok(!(await client.listTopics()).includes(foreign));
    const tape = play(t, client, foreign, [0]);
    kafkaError('NOT_AUTHORIZED')(await tape.untilFailed());
    assert.deepEqual(tape.batches, []);
  });

  const revocable = mechanisms.find((mechanism) => mechanism.startsWith('SCRAM'));

  test('finds a revoked login out by logging in afresh', { skip: !revocable }, async (t) => {
    if (!revocable) return;
    const login = await setup().createLogin(revocable);
    const topic = topicName(login.prefix);
    await setup().createTopic(topic, 1);
    const client = clientOf(t, setup(), login.sasl);
    await client.login();
    await client.describeTopics([topic]);
    await login.revoke();
    await assert.rejects(client.login(), refusedWithoutSecrets);
  });

  test('tells an unreachable cluster from a refusal', async (t) => {
    // Nobody listens on the discard port of loopback.
    const client = adminClient(t, setup(), { brokers: ['127.0.0.1:9'], connectTimeoutMs: 500 });
    await assert.rejects(client.login(), kafkaError('UNAVAILABLE'));
    await assert.rejects(client.describeTopics(['any']), kafkaError('UNAVAILABLE'));
    const tape = play(t, client, 'any', [0]);
    await tape.until(() => tape.reader.status.state === 'degraded', 'degraded');
  });

  test('gives up on a broker that accepts connections and says nothing', async (t) => {
    const silent = createServer();
    const sockets = new Set<Socket>();
    silent.on('connection', (socket) => sockets.add(socket.on('error', () => socket.destroy())));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const address = silent.address();
    assert.ok(address !== null && typeof address === 'object');
    const client = adminClient(t, setup(), {
      brokers: [`127.0.0.1:${address.port}`],
      connectTimeoutMs: 300,
      requestTimeoutMs: 300,
    });
    await assert.rejects(client.login(), kafkaError('UNAVAILABLE'));
    const tape = play(t, client, 'any', [0]);
    await tape.until(() => tape.reader.status.state === 'degraded', 'degraded');
    const pending = assert.rejects(client.describeTopics(['any']), kafkaError('UNAVAILABLE'));
    const closing = new RunningTime();
    await client.close();
    await pending;
    const tookMs = closing.ms;
    assert.ok(tookMs < 2_000, `took ${tookMs} ms to close`);
  });
}

const wrongSecret = 'not-the-secret';

function wrong(sasl: KafkaSasl): KafkaSasl {
  if (sasl.mechanism === 'OAUTHBEARER') return { ...sasl, token: async () => wrongSecret };
  return { ...sasl, password: wrongSecret };
}

function refusedWithoutSecrets(error: unknown): boolean {
  kafkaError('AUTHENTICATION_FAILED')(error);
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    assert.doesNotMatch(cause.message, new RegExp(wrongSecret));
  }
  return true;
}
