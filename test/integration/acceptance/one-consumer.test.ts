import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from 'graphql-ws';
import { describe, webSocketClient } from '../../support/graphql-client.ts';
import { openProducer, sharedCluster } from '../../support/kafka.ts';
import { feedIs } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { watchConnections } from './broker-connections.ts';
import { kafkaClients, projectTopic, reader, runOnKafka } from './real-server.ts';

const sockets = 10;
const subscriptionsPerSocket = 100;
const all = sockets * subscriptionsPerSocket;
/** One for metadata and offsets, one for each broker that is fetched from; here there is one. */
const mostConnections = 2;

for (const client of kafkaClients) {
  test(`${client}: 1,000 subscribers of a topic are one consumer, and one event reaches them all`, async (t) => {
    const kafka = await sharedCluster();
    const { name, kafkaTopic } = await projectTopic(t, kafka, 'one', { partitions: 3 });
    const [broker = ''] = kafka.bootstrap('saslPlaintext');
    const connections = watchConnections(t, broker);
    const server = await runOnKafka(t, kafka, client);
    const producer = await openProducer(t, kafka);

    const received: unknown[] = [];
    const ended: string[] = [];
    const subscribe = (socket: Client): void => {
      socket.subscribe(
        {
          query: 'subscription($topic: String!) { events(topic: $topic, order: ARRIVAL) { id } }',
          variables: { topic: name },
        },
        {
          next: ({ data }) => received.push(data),
          error: (error) => ended.push(describe(error)),
          complete: () => ended.push('complete'),
        },
      );
    };
    const clients = Array.from({ length: sockets }, () => webSocketClient(t, server.url, reader));
    const [firstClient] = clients;
    assert.ok(firstClient);
    subscribe(firstClient);
    await feedIs(server, kafkaTopic);
    const alone = connections.open;
    assert.ok(alone >= 1 && alone <= mostConnections, `${alone} connections`);

    for (const [index, socket] of clients.entries()) {
      const others = index === 0 ? subscriptionsPerSocket - 1 : subscriptionsPerSocket;
      for (let count = 0; count < others; count += 1) subscribe(socket);
    }
    await feedIs(server, kafkaTopic, { subscribers: all });
    const sentAtMs = performance.now();
    await producer.send(kafkaTopic, [{ value: '{"keen":{"id":"the one"}}' }]);
    await until('the event with everyone', () => ended.length > 0 || received.length >= all);
    const tookMs = Math.round(performance.now() - sentAtMs);

    assert.deepEqual(ended, []);
    assert.equal(received.length, all);
    for (const data of received) assert.deepEqual(data, { events: { id: 'the one' } });
    assert.equal([...server.hub.registry.feeds()].length, 1);
    assert.equal(connections.open, alone);
    t.diagnostic(`${alone} connections for one and for ${all}; all had the event in ${tookMs} ms`);
  });
}
