import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { BrokerConnection } from '../../../../src/kafka/platformatic/broker-connection.ts';
import { createPlatformaticDriver } from '../../../../src/kafka/platformatic/driver.ts';

/** A server that takes connections and does with them as told. */
async function listen(t: TestContext, accept: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    accept(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  return address.port;
}

function options(port: number) {
  return {
    brokers: [`127.0.0.1:${port}`],
    ssl: false,
    clientId: 'test',
    connectTimeoutMs: 60_000,
    requestTimeoutMs: 100,
  } as const;
}

test('a broker that takes connections but never answers is unavailable', async (t) => {
  const port = await listen(t, () => undefined);
  const connection = new BrokerConnection({ host: '127.0.0.1', port }, options(port), null);
  await assert.rejects(connection.open(), { code: 'UNAVAILABLE', message: /in 100 ms/ });
  assert.equal(connection.closed, true);
});

test('the same amid a login', async (t) => {
  const port = await listen(t, () => undefined);
  const client = createPlatformaticDriver(options(port)).connect({
    mechanism: 'PLAIN',
    username: 'a',
    password: 'secret',
  });
  t.after(() => client.close());
  await assert.rejects(client.login(), { code: 'UNAVAILABLE' });
});

test('a broker that hangs up amid a login has not refused it', async (t) => {
  const port = await listen(t, (socket) => socket.once('data', () => socket.destroy()));
  const client = createPlatformaticDriver(options(port)).connect({
    mechanism: 'SCRAM-SHA-512',
    username: 'a',
    password: 'secret',
  });
  t.after(() => client.close());
  await assert.rejects(client.login(), { code: 'UNAVAILABLE' });
});

test('destroying a connection that is being opened ends the attempt', async (t) => {
  const port = await listen(t, () => undefined);
  const slow = { ...options(port), requestTimeoutMs: 60_000 };
  const connection = new BrokerConnection({ host: '127.0.0.1', port }, slow, null);
  const opening = assert.rejects(connection.open(), { code: 'UNAVAILABLE' });
  connection.destroy();
  await opening;
});

test('tells a broker its host name, unless another name is set or it is an address', async (t) => {
  const told: string[] = [];
  const server = createTlsServer({
    SNICallback: (name, answer) => {
      told.push(name);
      answer(new Error('that is all'));
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const { port } = address;
  const namesTold = async (host: string, servername?: string): Promise<string[]> => {
    told.length = 0;
    const ssl = servername === undefined ? {} : { servername };
    const tls = { ...options(port), ssl, requestTimeoutMs: 60_000 };
    const connection = new BrokerConnection({ host, port }, tls, null);
    await assert.rejects(connection.open(), { code: 'UNAVAILABLE' });
    return [...told];
  };
  assert.deepEqual(await namesTold('localhost'), ['localhost']);
  assert.deepEqual(await namesTold('127.0.0.1'), []);
  assert.deepEqual(await namesTold('127.0.0.1', 'kafka.example'), ['kafka.example']);
  assert.deepEqual(await namesTold('localhost', 'kafka.example'), ['kafka.example']);
});
