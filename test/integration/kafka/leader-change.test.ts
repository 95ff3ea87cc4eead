import { test } from 'node:test';
import { ownCluster, uniqueTopic } from '../../support/kafka.ts';
import { assertAllRead, openStream, readWithAll, untilRunning } from './stream.ts';

test('leaders change: nothing is lost, nothing repeated', { timeout: 600_000 }, async (t) => {
  const cluster = await ownCluster(t, { nodes: 3 });
  const topic = uniqueTopic('acme.leaders');
  const partitions = 6;
  await cluster.createTopic(topic, { partitions });
  const tapes = readWithAll(t, cluster, topic, partitions);
  const stream = await openStream(t, cluster, topic, partitions);
  await stream.more(600);

  const first = await cluster.leader(topic, 0);
  await cluster.killNode(first);
  await stream.more(600);
  await cluster.startNode(first);
  await stream.more(600);

  const second = await cluster.leader(topic, 1);
  await cluster.stopNode(second);
  await stream.more(600);
  await cluster.startNode(second);
  await stream.more(600);

  await stream.end();
  await assertAllRead(cluster, topic, tapes);
  await untilRunning(tapes);
});
