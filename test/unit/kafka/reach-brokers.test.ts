import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import { reachBrokers } from '../../../src/kafka/reach-brokers.ts';
import { portOf } from '../../support/websocket.ts';

test('brokers are in reach while one of them takes connections, and none is kept', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const open = `127.0.0.1:${portOf(server)}`;
  // Of those that the system does not deal out to others.
  const [port = 0] = await freePorts(1);
  const closed = `127.0.0.1:${port}`;

  const taken = once(server, 'connection');
  await reachBrokers([closed, open], 2_000);
  const [socket] = await taken;
  socket.resume();
  await once(socket, 'close');
  await assert.rejects(reachBrokers([closed], 2_000), { code: 'UNAVAILABLE' });
  await assert.rejects(reachBrokers(['[::1]:1', closed], 2_000), { code: 'UNAVAILABLE' });
});
