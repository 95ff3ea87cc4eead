import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { createKafkajsDriver } from '../../../../src/kafka/kafkajs/driver.ts';
import { KafkaError } from '../../../../src/kafka/port.ts';

test('what answers with anything but answers of a broker is left at once', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(Buffer.alloc(100, 0xff)));
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const driver = createKafkajsDriver({
    brokers: [`127.0.0.1:${address.port}`],
    ssl: false,
    clientId: 'test',
    requestTimeoutMs: 10_000,
  });
  const client = driver.connect(null);
  await assert.rejects(client.login(), (error) => {
    assert.ok(error instanceof KafkaError);
    assert.equal(error.code, 'UNAVAILABLE');
    assert.match(error.message, /no Kafka broker/);
    return true;
  });
  await client.close();
});
