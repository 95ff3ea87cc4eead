import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { endianness } from 'node:os';
import { type TestContext, test } from 'node:test';
import { LostPeers, unacknowledged } from '../../../src/transports/lost-peers.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

/** Both ends of a connection over loopback. */
async function connection(t: TestContext): Promise<Socket> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = connect(address.port, '127.0.0.1');
  const [accepted]: Socket[] = await once(server, 'connection');
  t.after(() => {
    client.destroy();
    accepted?.destroy();
    server.close();
  });
  return accepted ?? assert.fail();
}

/** The table with that connection in it. */
function tableWith({ remotePort = 0 }: Socket, retransmits: number): string {
  const port = remotePort.toString(16).toUpperCase().padStart(4, '0');
  const address = endianness() === 'LE' ? '0100007F' : '7F000001';
  const again = retransmits.toString(16).toUpperCase().padStart(8, '0');
  const timer = retransmits === 0 ? '02' : '01';
  return `${head}   7: ${address}:115C ${address}:${port} 01 00000003:00000000 ${timer}:00000021 ${again}     0        0 1 1 0 23 0 0 10 -1\n`;
}

function watching(clock = new ManualClock()) {
  let table = head;
  let looks = 0;
  const peers = new LostPeers({
    clock,
    read: () => {
      looks += 1;
      return Promise.resolve(table);
    },
  });
  return {
    clock,
    peers,
    show: (text: string): void => {
      table = text;
    },
    get looks() {
      return looks;
    },
  };
}

test('a peer that acknowledges nothing for 9 s is lost, and is told of once', async (t) => {
  const socket = await connection(t);
  const { clock, peers, show } = watching();
  let lost = 0;
  peers.watch(socket, () => {
    lost += 1;
  });
  for (const retransmits of [1, 4, 5]) {
    show(tableWith(socket, retransmits));
    await clock.advance(3_000);
  }
  assert.equal(lost, 0);
  show(tableWith(socket, 5));
  await clock.advance(3_000);
  assert.equal(lost, 1);
  await clock.advance(60_000);
  assert.equal(lost, 1);
});

test('one that acknowledges something now and then is not', async (t) => {
  const socket = await connection(t);
  const { clock, peers, show } = watching();
  peers.watch(socket, () => assert.fail('it was there'));
  for (const retransmits of [3, 4, 5, 1, 4, 5, 0, 4, 5, 6]) {
    show(tableWith(socket, retransmits));
    await clock.advance(3_000);
  }
});

test('nobody looks while nobody is watched, nor for one that is done', async (t) => {
  const socket = await connection(t);
  const watch = watching();
  const { clock, peers, show } = watch;
  await clock.advance(60_000);
  const stop = peers.watch(socket, () => assert.fail('it was done'));
  stop();
  await clock.advance(60_000);
  assert.equal(watch.looks, 0);
  assert.equal(clock.pending, 0);
  const stopLater = peers.watch(socket, () => assert.fail('it was done'));
  show(tableWith(socket, 9));
  await clock.advance(6_000);
  assert.equal(watch.looks, 2);
  stopLater();
  await clock.advance(60_000);
  assert.equal(watch.looks, 2);
});

test('the table is read as Linux writes it', { skip: endianness() !== 'LE' }, () => {
  const table =
    head +
    // It listens; it is quiet, with a probe due; it retransmits; it is asked for a window; it closes.
    '   0: 0109090A:115C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100\n' +
    '   1: 0109090A:115C 0209090A:96AC 01 00000000:00000000 02:0000015D 00000000     0        0 2 2 0 23\n' +
    '   2: 0109090A:115C 0209090A:96AD 01 0000000C:00000000 01:00000313 00000006     0        0 3 3 0 23\n' +
    '   3: 0109090A:115C 0209090A:96AE 01 0000000C:00000000 04:00000313 00000000     0        0 4 2 0 23\n' +
    '   4: 0109090A:115C 0209090A:96AF 04 0000000C:00000000 01:00000313 00000003     0        0 4 2 0 23\n' +
    '12345: 00000000000000000000000001000000:115C 00000000000000000000000001000000:B001 01 00000001:00000000 01:0000000A 0000000A     0        0 5 2 0 23\n' +
    '12346: 0000000000000000FFFF00000100007F:115C 0000000000000000FFFF00000200007F:B002 01 00000001:00000000 01:0000000A 00000002     0        0 6 2 0 23\n' +
    '12347: B80D01200000000000000000010000FF:115C B80D01200000000000000000020000FF:B003 01 00000001:00000000 01:0000000A 00000001     0        0 7 2 0 23\n';
  assert.deepEqual(Object.fromEntries(unacknowledged(table)), {
    '10.9.9.2 38573': 6,
    '::1 45057': 10,
    '::ffff:127.0.0.2 45058': 2,
    '2001:db8::ff00:2 45059': 1,
  });
});
