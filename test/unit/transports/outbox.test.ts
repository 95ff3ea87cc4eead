import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox, type OutboxConnection, type OutboxOwner } from '../../../src/transports/outbox.ts';
import { beginning, type StreamPosition } from '../../../src/hub/cursor/stream-position.ts';
import { SharedFrames } from '../../../src/transports/shared-frames.ts';
import { TurnEnd } from '../../../src/transports/turn-end.ts';
import { ByteBudget } from '../../../src/transports/allowance/byte-budget.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import { socketPair } from '../../support/websocket.ts';
import { textFrames } from '../../support/frames.ts';

const large = 'x'.repeat(1_048_576);

function ownerOf(mark: string, lost: OutboxOwner['lost'] = () => undefined): OutboxOwner {
  return { mark: Buffer.from(mark), lost };
}

async function open(t: Parameters<typeof socketPair>[0], maxQueuedBytes = 2 ** 30) {
  const pair = await socketPair(t);
  const received: string[] = [];
  pair.client.on('message', (data: Buffer) => received.push(data.toString()));
  const overflows: number[] = [];
  const connection: OutboxConnection = {
    stream: pair.stream,
    get isOpen() {
      return pair.socket.readyState === pair.socket.OPEN;
    },
    onSlow: () => overflows.push(outbox.backlogBytes),
  };
  const outbox = new Outbox(connection, { turnEnd: new TurnEnd(), maxQueuedBytes });
  const write = t.mock.method(pair.stream, 'write');
  return { ...pair, outbox, received, overflows, writes: () => write.mock.callCount() };
}

/** Fills what the system holds for a client that takes nothing, until something waits. */
async function stall({ client, outbox }: Awaited<ReturnType<typeof open>>): Promise<number> {
  client.pause();
  let sent = 0;
  while (outbox.backlogBytes === 0) {
    outbox.push(textFrames([large]));
    sent += 1;
    await settle();
  }
  return sent;
}

test('what is due in a turn leaves in one write, in order', async (t) => {
  const { outbox, received, writes } = await open(t);
  const shared = textFrames(['one', 'two']);
  outbox.push(shared);
  outbox.push(textFrames(['three']));
  outbox.push(shared);
  assert.equal(writes(), 0);
  await until('all to arrive', () => received.length === 5);
  assert.deepEqual(received, ['one', 'two', 'three', 'one', 'two']);
  assert.equal(writes(), 1);
});

test('what is for the only subscription of a connection leaves at once, and never past what waits', async (t) => {
  const { outbox, received, writes } = await open(t);
  const owner = ownerOf('1');
  outbox.send(textFrames(['_: one'], '_'), owner, beginning);
  assert.equal(writes(), 1);
  outbox.push(textFrames(['two']));
  outbox.send(textFrames(['_: three'], '_'), owner, beginning);
  assert.equal(writes(), 1);
  await until('all to arrive', () => received.length === 3);
  assert.deepEqual(received, ['1: one', 'two', '1: three']);
  assert.equal(writes(), 2);
});

test('what is to leave at once waits for a client that takes nothing, and is lost past the bound', async (t) => {
  const pair = await open(t, 10_000);
  const sent = await stall(pair);
  const written = pair.writes();
  const lost: StreamPosition[] = [];
  const owner = ownerOf('1', (before) => lost.push(before));
  const places = Array.from({ length: 12 }, () => ({ ...beginning }));
  for (const place of places) {
    pair.outbox.send(textFrames([`_${'y'.repeat(1_000)}`], '_'), owner, place);
  }
  assert.equal(pair.writes(), written);
  assert.deepEqual(lost, [places[0]]);
  assert.equal(pair.overflows.length, 1);
  pair.client.resume();
  await until('what was written before to arrive', () => pair.received.length >= sent);
});

test('of what is due in one turn no more than the bound waits for its end', async (t) => {
  const { outbox, stream, received, overflows, writes } = await open(t, 10_000);
  const owner = ownerOf('1');
  // As if the system took nothing.
  stream.cork();
  const count = 100;
  for (let sent = 0; sent < count; sent += 1) {
    outbox.push(textFrames([`_${'y'.repeat(1_000)}`], '_'), owner, beginning);
    const written = stream.writableLength;
    assert.ok(outbox.backlogBytes - written < 12_000, String(outbox.backlogBytes - written));
  }
  assert.ok(writes() > 0);
  assert.ok(overflows.length > 0, 'the stream has enough, and the rest is dropped');
  stream.uncork();
  await until('what was written to arrive', () => received.length > 0);
});

test('each client gets its own mark, alone in its turn or not, stalled or not', async (t) => {
  const clients = await Promise.all([open(t), open(t), open(t)]);
  const [, slow] = clients;
  const before = slow === undefined ? 0 : await stall(slow);
  const frames = textFrames(['id:__', 'and id:__'], '__');
  for (const [index, { outbox }] of clients.entries()) {
    outbox.push(frames, ownerOf(`${index}!`));
    if (index === 2) outbox.push(frames, ownerOf('2?'));
  }
  await settle();
  slow?.client.resume();
  await until('all to arrive', () =>
    clients.every(({ received }) => received.at(-1)?.startsWith('and id') === true),
  );
  assert.deepEqual(clients[0]?.received, ['id:0!', 'and id:0!']);
  assert.deepEqual(slow?.received.slice(before), ['id:1!', 'and id:1!']);
  assert.deepEqual(clients[2]?.received, ['id:2!', 'and id:2!', 'id:2?', 'and id:2?']);
});

test('a stream that has not taken all keeps what it was given, whoever comes next', async (t) => {
  const [slow, quick] = await Promise.all([open(t), open(t)]);
  slow.client.pause();
  // As the first write of its turn it is given away uncopied.
  const frames = textFrames([`__${large}${large}${large}${large}${large}${large}`], '__');
  slow.outbox.push(frames, ownerOf('11'));
  quick.outbox.push(frames, ownerOf('22'));
  await settle();
  slow.client.resume();
  await until('both to arrive', () => slow.received.length + quick.received.length === 2);
  assert.equal(slow.received[0]?.slice(0, 2), '11');
  assert.equal(quick.received[0]?.slice(0, 2), '22');
});

test('while the client takes nothing, what comes waits, and leaves in few writes when it does', async (t) => {
  const pair = await open(t);
  const { client, outbox, received, writes } = pair;
  const before = await stall(pair);
  const written = writes();
  for (let turn = 0; turn < 50; turn += 1) {
    outbox.push(textFrames([`turn ${turn}`]));
    await settle(1);
  }
  assert.equal(writes(), written);
  let taken = false;
  outbox.whenTaken(() => {
    taken = true;
  });
  client.resume();
  await until('all to arrive', () => received.length === before + 50);
  assert.equal(writes(), written + 1);
  assert.equal(received.at(-1), 'turn 49');
  await until('it to be told', () => taken);
  assert.equal(outbox.backlogBytes, 0);
});

test('past its bound it drops what waits, and says to each from where it lost it', async (t) => {
  const pair = await open(t, 10_000);
  const sent = await stall(pair);
  const lost: [string, StreamPosition][] = [];
  const owners = ['a', 'b'].map((name) => ownerOf(name, (before) => lost.push([name, before])));
  const places = Array.from({ length: 12 }, () => ({ ...beginning }));
  for (const [index, place] of places.entries()) {
    pair.outbox.push(textFrames(['x'.repeat(1_000)]), owners[index % 2], place);
  }
  assert.equal(pair.overflows.length, 1);
  assert.deepEqual(
    lost.map(([name, before]) => [name, places.indexOf(before)]),
    [
      ['a', 0],
      ['b', 1],
    ],
  );
  pair.client.resume();
  await until('what had been written to arrive', () => pair.received.length >= sent);
  pair.outbox.push(textFrames(['after']));
  await until('what comes after it', () => pair.received.at(-1) === 'after');
  assert.ok(pair.received.length < sent + 12);
});

test('what is of no subscription is not dropped, as nobody would send it again', async (t) => {
  const { outbox, received, overflows } = await open(t, 10_000);
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 1_000_000 });
  budget.spend(1_000_000);
  outbox.useBudget(budget);
  outbox.push(textFrames(['ready']));
  const owner = ownerOf('a', () => outbox.whenTaken(() => outbox.push(textFrames(['again']))));
  for (let sent = 0; sent < 12; sent += 1) {
    outbox.push(textFrames(['x'.repeat(1_000)]), owner, { ...beginning });
    await settle(1);
  }
  assert.equal(overflows.length, 1);
  await clock.advance(5_000);
  await until('it to go on', () => received.at(-1) === 'again');
  assert.equal(received[0], 'ready');
});

test('what is of no subscription does not wait until its project may be sent more', async (t) => {
  const { outbox, received } = await open(t);
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 1_000 });
  budget.spend(10_000);
  outbox.useBudget(budget);
  const owner = ownerOf('a');
  outbox.push(textFrames(['ready']));
  outbox.push(textFrames(['event']), owner, beginning);
  await until('the first', () => received.length === 1);
  outbox.push(textFrames(['alive']));
  await until('the second', () => received.length === 2);
  assert.deepEqual(received, ['ready', 'alive']);
  assert.equal(outbox.waitsForBudget, true);
  await clock.advance(60_000);
  await until('the event', () => received.length === 3);
  assert.deepEqual([received.at(-1), outbox.waitsForBudget], ['event', false]);
});

test('one turn may bring more than the bound to a client that takes it', async (t) => {
  const { outbox, received, overflows } = await open(t, 10);
  for (let sent = 0; sent < 100; sent += 1) outbox.push(textFrames(['x'.repeat(10_000)]));
  await until('all to arrive', () => received.length === 100);
  assert.deepEqual(overflows, []);
});

test('of many who go on, only those are told who can be sent something: nothing is prepared to wait', async (t) => {
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 10_000 });
  budget.spend(10_000);
  const frames = textFrames(['x'.repeat(1_000)]);
  const pairs = await Promise.all(Array.from({ length: 10 }, () => open(t)));
  let told = 0;
  for (const { outbox } of pairs) {
    outbox.useBudget(budget);
    outbox.whenTaken(() => {
      told += 1;
      outbox.push(frames);
    });
  }
  await settle();
  assert.equal(told, 0);
  // Half a second of debt, then a tenth of a second for each.
  await clock.advance(1_000);
  assert.ok(told >= 4 && told <= 6, `${told} were told`);
  assert.ok(pairs.every(({ outbox }) => outbox.backlogBytes === 0));
  await clock.advance(1_000);
  await until('all to have it', () => pairs.every(({ received }) => received.length === 1));
});

test('who gets in its turn what the connection cannot take is told again when it can, and once', async (t) => {
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 100_000_000 });
  const { client, stream, outbox, received, overflows } = await open(t, 2_000_000);
  outbox.useBudget(budget);
  const owner = ownerOf('a', () => assert.fail('something was lost'));
  let told = 0;
  const go = (): void => {
    told += 1;
    if (told > 4) return;
    // More than the system takes for a client that reads nothing, 4 MiB or so; then a word behind it.
    outbox.send(textFrames([large.repeat(16)]), owner, beginning);
    outbox.push(textFrames([`told ${told}`]));
    outbox.whenTaken(go);
  };
  client.pause();
  budget.spend(100_000_000);
  outbox.whenTaken(go);
  await settle();
  assert.equal(told, 0);
  await clock.advance(1_000);
  assert.deepEqual([told, stream.listenerCount('drain')], [1, 1]);
  client.resume();
  await until('all to arrive', async () => {
    await clock.advance(100);
    return received.at(-1) === 'told 4';
  });
  assert.deepEqual(overflows, []);
  assert.equal(received.length, 8);
});

test('what must come after it may be written once all is flushed', async (t) => {
  const pair = await open(t);
  const { client, socket, outbox, received } = pair;
  await stall(pair);
  for (let sent = 0; sent < 3; sent += 1) outbox.push(textFrames([`${sent}`]));
  outbox.flushAll();
  socket.send('last');
  client.resume();
  await until('all to arrive', () => received.at(-1) === 'last');
  assert.deepEqual(received.slice(-4), ['0', '1', '2', 'last']);
});

test('what waits of an owner that has left is not sent any more', async (t) => {
  const pair = await open(t);
  const { client, outbox, received } = pair;
  const before = await stall(pair);
  const [one, two] = [ownerOf('1'), ownerOf('2')];
  for (const turn of [1, 2]) {
    for (const owner of [one, two]) outbox.push(textFrames([`_ ${turn}`], '_'), owner, beginning);
  }
  const { backlogBytes } = outbox;
  outbox.forget(one);
  assert.equal(backlogBytes - outbox.backlogBytes, 2 * textFrames(['1 1']).length);
  outbox.push(textFrames(['last']));
  client.resume();
  await until('the last', () => received.at(-1) === 'last');
  assert.deepEqual(received.slice(before), ['2 1', '2 2', 'last']);
});

test('what is sent to a socket that has closed is left out', async (t) => {
  const { socket, outbox, writes } = await open(t);
  outbox.push(textFrames(['due']));
  socket.terminate();
  outbox.push(textFrames(['after the end']));
  await settle();
  assert.equal(writes(), 0);
});

test('who is told that it may be sent more, and gives something to a socket that closes, sends nothing', async (t) => {
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 100_000 });
  const { socket, outbox, writes } = await open(t);
  budget.spend(100_000);
  outbox.useBudget(budget);
  let isTold = false;
  outbox.whenTaken(() => {
    isTold = true;
    outbox.push(textFrames(['after the end']));
  });
  await settle();
  socket.close();
  const written = writes();
  await clock.advance(1_000);
  assert.deepEqual([isTold, writes() - written, outbox.backlogBytes], [true, 0, 0]);
});

test('bytes without a place for a mark are the same for all', async () => {
  const frames = new SharedFrames(Buffer.from('data'));
  const target = Buffer.alloc(6);
  assert.equal(frames.copyTo(target, 1, Buffer.from('x')), 5);
  assert.equal(target.toString('latin1'), '\0data\0');
});
