import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { Stall } from '../../../src/transports/stall.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { until } from '../../support/until.ts';
import { portOf } from '../../support/websocket.ts';

const MiB = 2 ** 20;

/** A server's socket and its peer, which reads nothing by itself; gone with the test. */
async function pair(t: TestContext, isTls: boolean) {
  const certificate = makeCertificate();
  const server = isTls ? createTlsServer(certificate) : createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = new Promise<Socket>((resolve) => {
    server.once(isTls ? 'secureConnection' : 'connection', resolve);
  });
  const to = { port: portOf(server), host: '127.0.0.1' };
  const peer = isTls ? connectTls({ ...to, ca: certificate.cert }) : connect(to);
  const socket = await accepted;
  for (const each of [socket, peer]) each.on('error', () => undefined);
  t.after(() => {
    server.close();
    socket.destroy();
    peer.destroy();
  });
  return { socket, peer };
}

for (const isTls of [false, true]) {
  const how = isTls ? 'with TLS' : 'without TLS';

  test(`of one large write each part that is taken ends a stall, ${how}`, async (t) => {
    const { socket, peer } = await pair(t, isTls);
    socket.write(Buffer.alloc(64 * MiB));
    const stall = new Stall(socket, 0);
    let nowMs = 0;
    // What is between the two takes the first of it.
    await until('nothing to be taken', () => stall.lastsMs(socket, (nowMs += 10)) > 200);
    for (let round = 0; round < 3; round += 1) {
      let read = 0;
      peer.on('readable', () => {
        if (read < 16 * MiB) read += peer.read()?.length ?? 0;
      });
      await until('a part to be read', () => read >= 16 * MiB);
      peer.removeAllListeners('readable');
      await until('a part to be taken', () => stall.lastsMs(socket, (nowMs += 10)) < 200);
      assert.ok(socket.writableLength > 0, 'it is the same write');
      await until('nothing to be taken', () => stall.lastsMs(socket, (nowMs += 10)) > 200);
    }
  });

  test(`what the peer sends does not end a stall, ${how}`, async (t) => {
    const { socket, peer } = await pair(t, isTls);
    socket.write(Buffer.alloc(64 * MiB));
    const stall = new Stall(socket, 0);
    let nowMs = 0;
    await until('nothing to be taken', () => stall.lastsMs(socket, (nowMs += 10)) > 200);
    const before = stall.lastsMs(socket, nowMs);
    for (let sent = 0; sent < 10; sent += 1) {
      peer.write('hello');
      await once(socket, 'data');
    }
    assert.equal(stall.lastsMs(socket, nowMs + 1_000), before + 1_000);
  });
}
