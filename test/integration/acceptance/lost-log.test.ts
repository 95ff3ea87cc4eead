import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openProducer, sharedCluster } from '../../support/kafka.ts';
import { feedIs } from '../../support/server.ts';
import { kafkaClients, projectTopic, runOnKafka } from './real-server.ts';
import { cursorsOf, refusalOf, sequencesOf, subscribeTo, untilRecreated } from './typed-loss.ts';

for (const client of kafkaClients) {
  test(`${client}: a topic is deleted and created again: whoever reads it is told, and reads the new one from its start`, async (t) => {
    const kafka = await sharedCluster();
    const topic = await projectTopic(t, kafka, 'recreated', { partitions: 2 });
    const server = await runOnKafka(t, kafka, client);
    const producer = await openProducer(t, kafka);
    const { url } = server;
    const live = subscribeTo(t, { url, topic });
    await feedIs(server, topic.kafkaTopic);
    await producer.send(topic.kafkaTopic, [numbered(0, 0), numbered(1, 1)]);
    await live.atLeast(2);
    const [, after] = cursorsOf(live);

    await untilRecreated(kafka, topic.kafkaTopic, { partitions: 2 });
    assert.deepEqual(await refusalOf(live), { code: 'TOPIC_RECREATED', ranges: undefined });
    const back = subscribeTo(t, { url, topic, args: { after } });
    assert.deepEqual(await refusalOf(back), { code: 'TOPIC_RECREATED', ranges: undefined });
    await producer.send(topic.kafkaTopic, [numbered(0, 2), numbered(1, 3)]);
    const since = new Date(Date.now() - 60_000).toISOString();
    const anew = subscribeTo(t, { url, topic, args: { since } });
    await anew.atLeast(2);
    assert.deepEqual(sequencesOf(anew).toSorted(), ['2', '3']);
    assert.deepEqual(sequencesOf(live).toSorted(), ['0', '1']);
  });

  test(`${client}: retention passes a cursor: it is refused with the range, and what is left can be read`, async (t) => {
    const kafka = await sharedCluster();
    const topic = await projectTopic(t, kafka, 'expired');
    // Only from the log, not from memory: another instance than the one that wrote the cursor.
    const [former, later] = [
      await runOnKafka(t, kafka, client),
      await runOnKafka(t, kafka, client),
    ];
    const producer = await openProducer(t, kafka);
    const live = subscribeTo(t, { url: former.url, topic });
    await feedIs(former, topic.kafkaTopic);
    await producer.send(
      topic.kafkaTopic,
      Array.from({ length: 6 }, (_, number) => numbered(0, number)),
    );
    await live.atLeast(6);
    const [, second, , fourth] = cursorsOf(live);
    await kafka.deleteRecords(topic.kafkaTopic, 0, 4);

    const { url } = later;
    const passed = subscribeTo(t, { url, topic, args: { after: second } });
    assert.deepEqual(await refusalOf(passed), {
      code: 'CURSOR_EXPIRED',
      ranges: [{ partition: 0, from: 2, to: 4 }],
    });
    const since = new Date(Date.now() - 60_000).toISOString();
    const [kept, left] = [
      subscribeTo(t, { url, topic, args: { after: fourth } }),
      subscribeTo(t, { url, topic, args: { since } }),
    ];
    for (const one of [kept, left]) {
      await one.atLeast(2);
      assert.deepEqual(sequencesOf(one), ['4', '5']);
    }
  });
}

function numbered(partition: number, number: number) {
  const keen = { id: `e${number}`, timestamp: new Date().toISOString() };
  return { partition, value: JSON.stringify({ keen, sequence_number: number }) };
}
