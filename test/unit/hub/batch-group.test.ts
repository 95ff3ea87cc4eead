import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchGroup, type BatchGroupOptions } from '../../../src/hub/batch-group.ts';
import { WaitingBytes } from '../../../src/hub/keeping.ts';
import { type EventBatch, EventMessage } from '../../../src/hub/message.ts';
import { sketched } from '../../support/events.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { beginning } from '../../../src/hub/cursor/stream-position.ts';
import { nowhere, someTurn } from '../../support/parcels.ts';
import { type Listening, listening } from '../../support/messages.ts';

function open(
  maxEvents: number,
  maxWaitMs: number,
  bounds: Pick<BatchGroupOptions, 'maxBytes' | 'waiting' | 'onCut'> = {},
) {
  const clock = new ManualClock();
  const outOfTurn: number[] = [];
  const known: { watermarkMs: number | null } = { watermarkMs: null };
  const group = new BatchGroup(
    { maxEvents, maxWaitMs },
    {
      clock,
      watermarkMs: () => known.watermarkMs,
      position: () => beginning,
      encode: nowhere.encode,
      onDelivered: (deliveries) => outOfTurn.push(deliveries),
      ...bounds,
    },
  );
  const join = (
    onDelivery: () => void = () => undefined,
    at = beginning,
  ): Listening<EventBatch> => {
    const member = listening<EventBatch>((left) => group.remove(left), onDelivery);
    assert.equal(group.makeRoom(at), 0);
    group.add(member.subscription, at);
    return member;
  };
  let offset = 0;
  const accept = (...ids: readonly string[]): void => {
    for (const id of ids) {
      group.accept(new EventMessage('t', sketched({ id, offset, at: 0 }), false, nowhere));
      offset += 1;
    }
  };
  return { clock, group, outOfTurn, known, join, accept };
}

const idsOf = ({ items }: Listening<EventBatch>): (string | null)[][] =>
  items.map(({ events }) => events.map(({ event }) => event.id));

test('a batch is sent when it has as many events as it may, at the end of the turn', () => {
  const { clock, group, join, accept } = open(2, 1_000);
  const member = join();
  accept('a', 'b', 'c', 'd', 'e');
  assert.deepEqual(idsOf(member), []);
  assert.equal(group.flush(someTurn), 2);
  assert.deepEqual(idsOf(member), [
    ['a', 'b'],
    ['c', 'd'],
  ]);
  assert.equal(member.parcels.length, 1);
  accept('f');
  group.flush(someTurn);
  assert.deepEqual(idsOf(member).at(-1), ['e', 'f']);
  assert.equal(clock.pending, 0);
});

test('a batch that is not full is sent so long after its first event came, not its last', async () => {
  const { clock, group, outOfTurn, join, accept } = open(10, 100);
  const members = [join(), join()];
  accept('a');
  group.flush(someTurn);
  await clock.advance(60);
  accept('b');
  group.flush(someTurn);
  await clock.advance(39);
  assert.deepEqual(members.map(idsOf), [[], []]);
  await clock.advance(1);
  assert.deepEqual(members.map(idsOf), [[['a', 'b']], [['a', 'b']]]);
  assert.deepEqual(outOfTurn, [2]);
  accept('c');
  group.flush(someTurn);
  await clock.advance(99);
  assert.equal(members[0]?.items.length, 1);
  await clock.advance(1);
  assert.deepEqual(members.map(idsOf).at(-1)?.at(-1), ['c']);
  assert.equal(clock.pending, 0);
});

test('a full batch ends the wait; what comes after it waits anew', async () => {
  const { clock, group, join, accept } = open(2, 100);
  const member = join();
  accept('a');
  group.flush(someTurn);
  await clock.advance(90);
  accept('b', 'c');
  group.flush(someTurn);
  assert.deepEqual(idsOf(member), [['a', 'b']]);
  await clock.advance(99);
  assert.equal(member.items.length, 1);
  await clock.advance(1);
  assert.deepEqual(idsOf(member), [['a', 'b'], ['c']]);
});

test('without a wait a batch is what one turn brings', () => {
  const { clock, group, join, accept } = open(10, 0);
  const member = join();
  accept('a', 'b');
  group.flush(someTurn);
  accept('c');
  group.flush(someTurn);
  group.flush(someTurn);
  assert.deepEqual(idsOf(member), [['a', 'b'], ['c']]);
  assert.equal(clock.pending, 0);
});

test('a batch is one object for all members, in one parcel', async () => {
  const { clock, group, join, accept } = open(2, 100);
  const [one, two] = [join(), join()];
  accept('a', 'b', 'c');
  group.flush(someTurn);
  await clock.advance(100);
  assert.equal(one.parcels.length, 2);
  for (const [index, parcel] of one.parcels.entries()) assert.equal(two.parcels[index], parcel);
});

test('a batch carries the watermark as of when it is sent', async () => {
  const { clock, group, known, join, accept } = open(2, 100);
  const member = join();
  accept('a', 'b', 'c');
  group.flush(someTurn);
  known.watermarkMs = 5;
  await clock.advance(100);
  assert.deepEqual(
    member.items.map(({ watermarkMs }) => watermarkMs),
    [null, 5],
  );
});

test('a group that is closed lets its timer go, and what it kept', async () => {
  const { clock, group, join, accept } = open(10, 100);
  const member = join();
  accept('a');
  group.flush(someTurn);
  assert.equal(clock.pending, 1);
  group.close();
  assert.equal(clock.pending, 0);
  await clock.advance(1_000);
  assert.deepEqual(idsOf(member), []);
});

test('a batch is sent early when its events have as many bytes as they may, however many it may hold', async () => {
  let cuts = 0;
  const { clock, group, join, accept } = open(10_000, 60_000, {
    maxBytes: 6,
    onCut: () => {
      cuts += 1;
    },
  });
  const member = join();
  // Each has a text of two characters.
  accept('a', 'b', 'c', 'd');
  group.flush(someTurn);
  assert.deepEqual(idsOf(member), [['a', 'b', 'c']]);
  assert.equal(cuts, 1);
  await clock.advance(60_000);
  assert.deepEqual(idsOf(member), [['a', 'b', 'c'], ['d']]);
  assert.equal(cuts, 1);
});

test('what waits for a project in all its batches is bounded, and given up with them', async () => {
  const of = new WaitingBytes(7);
  const waiting = of.of('acme');
  const [one, two] = [open(100, 60_000, { waiting }), open(100, 60_000, { waiting })];
  const other = open(100, 60_000, { waiting: of.of('globex') });
  const members = [one.join(), two.join(), other.join()];
  for (const { accept } of [one, two]) accept('a', 'b');
  other.accept('a', 'b', 'c');
  for (const { group } of [one, two, other]) group.flush(someTurn);
  // The one that adds to it when it is full sends what it has.
  assert.deepEqual(members.map(idsOf), [[], [['a', 'b']], []]);
  assert.equal(waiting.bytes, 4);
  two.accept('c');
  two.group.flush(someTurn);
  assert.equal(waiting.bytes, 6);
  one.group.close();
  await two.clock.advance(60_000);
  assert.equal(waiting.bytes, 0);
});

test('who joins while a batch is open changes nothing for the others, and gets what comes from then on', async () => {
  const { clock, group, outOfTurn, join, accept } = open(4, 100);
  const there = join();
  accept('a');
  group.flush(someTurn);
  await clock.advance(60);
  const at = { ...beginning };
  const [one, two] = [join(undefined, at), join(undefined, at)];
  accept('b');
  group.flush(someTurn);
  const late = join();
  assert.equal(group.size, 4);
  assert.deepEqual([there, one, two, late].map(idsOf), [[], [], [], []]);
  assert.equal(group.keptFrom(one.subscription), at);
  await clock.advance(40);
  assert.deepEqual([there, one, two, late].map(idsOf), [[['a', 'b']], [['b']], [['b']], []]);
  assert.deepEqual(outOfTurn, [3]);
  assert.equal(one.parcels[0], two.parcels[0]);
  assert.equal(one.parcels[0]?.before, at);
  accept('c');
  group.flush(someTurn);
  await clock.advance(100);
  for (const member of [one, two, late]) assert.equal(member.parcels.at(-1), there.parcels.at(-1));
  assert.deepEqual(idsOf(late), [['c']]);
});

test('who joins gets the rest of the batch that is open, and each one behind it, also in one turn', () => {
  const { group, join, accept } = open(2, 1_000);
  const there = join();
  accept('a');
  group.flush(someTurn);
  const newcomer = join();
  accept('b', 'c', 'd', 'e');
  assert.equal(group.flush(someTurn), 4);
  assert.deepEqual(idsOf(there), [
    ['a', 'b'],
    ['c', 'd'],
  ]);
  assert.deepEqual(idsOf(newcomer), [['b'], ['c', 'd']]);
  assert.equal(newcomer.parcels.length, 1);
  assert.equal(newcomer.items[1], there.items[1]);
  accept('f');
  group.flush(someTurn);
  assert.equal(newcomer.parcels.at(-1), there.parcels.at(-1));
});

test('who leaves as the others are handed a batch gets nothing of it, also a newcomer', async () => {
  const { clock, group, join, accept } = open(10, 100);
  const doomed: Listening<EventBatch>[] = [];
  join(() => {
    for (const { subscription } of doomed) subscription.leave();
  });
  accept('a');
  group.flush(someTurn);
  doomed.push(join(), join());
  const stays = join();
  accept('b');
  group.flush(someTurn);
  await clock.advance(100);
  assert.deepEqual(doomed.map(idsOf), [[], []]);
  assert.deepEqual(idsOf(stays), [['b']]);
  assert.equal(group.size, 2);
});
