import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BatchGroup, type Batching } from '../../../src/hub/batch-group.ts';
import { Channel, type MessageSource } from '../../../src/hub/channel.ts';
import type { PropertyFilter } from '../../../src/decode/property-filter.ts';
import { compileFilter } from '../../../src/hub/filter.ts';
import { type GroupOf, SingleGroup } from '../../../src/hub/group.ts';
import type { JoinPoint } from '../../../src/hub/join-point.ts';
import { type EventBatch, EventMessage } from '../../../src/hub/message.ts';
import { beginning } from '../../../src/hub/cursor/stream-position.ts';
import { nowhere, someTurn } from '../../support/parcels.ts';
import { sketched } from '../../support/events.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type Listening, listening, Numbered, whereOf } from '../../support/messages.ts';

type Conditions = readonly PropertyFilter[];

/** A channel whose log is one partition; messages come in the order of their offsets. */
function numbers() {
  const channel = new Channel<Numbered, Numbered, null>(() => new SingleGroup());
  let next = 0;
  const accept = (number: number, payload: unknown = {}): void => {
    const source = { partition: 0, offset: next, recordedAtMs: 0, payload };
    channel.accept(new Numbered(number), source);
    next += 1;
  };
  /** @param lowest the lowest offset that may still come. @default all that is there has come */
  const flush = (lowest = next): void => channel.flush(someTurn, () => new Map([[0, lowest]]));
  const join = (
    { where = [], from }: { where?: Conditions; from?: JoinPoint } = {},
    onDelivery = (): void => undefined,
  ): Listening<Numbered> => {
    const member = listening<Numbered>((left) => channel.remove(left), onDelivery);
    channel.add(
      member.subscription,
      { where: whereOf(where), shape: null },
      { at: beginning, join: from },
    );
    return member;
  };
  return { channel, accept, flush, join };
}

const joinAt = (offset: number): JoinPoint => ({
  from: new Map([[0, offset]]),
  acceptedAtMs: Number.POSITIVE_INFINITY,
});

const numbersOf = ({ items }: Listening<Numbered>): number[] => items.map(({ number }) => number);

test('those who want the same get one parcel, whoever they are', () => {
  const { join, accept, flush } = numbers();
  const even = { where: [{ property: 'even', operator: 'EQ', value: true }] } as const;
  const [one, two, three] = [join(), join(), join({ where: [...even.where] })];
  const four = join(even);
  accept(1, { even: false });
  accept(2, { even: true });
  flush();
  assert.deepEqual(numbersOf(one), [1, 2]);
  assert.equal(one.parcels[0], two.parcels[0]);
  assert.deepEqual(numbersOf(three), [2]);
  assert.equal(three.parcels[0], four.parcels[0]);
  assert.equal(three.items[0], one.items[1]);
});

test('who leaves while a turn is handed out gets nothing more, and the others all of it', () => {
  const { channel, join, accept, flush } = numbers();
  const doomed: Listening<Numbered>[] = [];
  const killer = join({}, () => {
    for (const { subscription } of doomed) subscription.leave();
  });
  doomed.push(join());
  const [victim] = doomed;
  const [survivor, own] = [join(), join({ where: [{ property: 'x', operator: 'EXISTS' }] })];
  doomed.push(own);
  accept(1, { x: 1 });
  flush();
  accept(2, { x: 1 });
  flush();
  assert.deepEqual(numbersOf(killer), [1, 2]);
  assert.deepEqual(victim && numbersOf(victim), []);
  assert.deepEqual(numbersOf(survivor), [1, 2]);
  assert.deepEqual(numbersOf(own), []);
  assert.equal(channel.size, 2);
});

test('who joins when its group ends over what was due still gets what comes', () => {
  const { channel, join, accept, flush } = numbers();
  const last = join({}, () => last.subscription.leave());
  accept(1);
  const newcomer = join();
  accept(2);
  flush();
  assert.deepEqual(numbersOf(last), [1]);
  assert.deepEqual(numbersOf(newcomer), [2]);
  assert.equal(channel.size, 1);
  newcomer.subscription.leave();
  assert.equal(channel.size, 0);
});

test('who joins gets nothing from before, and what was due counts as delivered', () => {
  const { channel, join, accept, flush } = numbers();
  const there = join();
  accept(1);
  const newcomer = join();
  assert.equal(channel.delivered, 1);
  accept(2);
  flush();
  assert.deepEqual(numbersOf(there), [1, 2]);
  assert.deepEqual(numbersOf(newcomer), [2]);
  assert.equal(channel.delivered, 3);
});

test('newcomers that are taken over do not end the batch that is open; one that ends over it is gone', async () => {
  const clock = new ManualClock();
  const channel = new Channel<EventMessage, EventBatch, Batching>(
    (batching) =>
      new BatchGroup(batching, {
        clock,
        watermarkMs: () => null,
        position: () => beginning,
        encode: nowhere.encode,
        onDelivered: () => undefined,
      }),
  );
  const shape = { maxEvents: 10, maxWaitMs: 1_000 };
  const join = (from: JoinPoint | undefined, onDelivery: () => void): Listening<EventBatch> => {
    const member = listening<EventBatch>((left) => channel.remove(left), onDelivery);
    channel.add(member.subscription, { where: whereOf(), shape }, { at: beginning, join: from });
    return member;
  };
  const point = joinAt(1);
  const newcomers: Listening<EventBatch>[] = [];
  // Ends another one when it gets what was there before they were taken over, …
  const there = join(undefined, () => newcomers[1]?.subscription.leave());
  // … and this one itself as it is.
  newcomers.push(join(point, () => newcomers[0]?.subscription.leave()));
  newcomers.push(join(point, () => undefined));
  const other = join(point, () => undefined);
  const event = sketched({ offset: 1, at: 0 });
  channel.accept(new EventMessage('t', event, false, nowhere), event);
  channel.flush(someTurn, () => new Map([[0, 2]]));
  assert.deepEqual([there.items.length, other.items.length, channel.size], [0, 1, 3]);
  await clock.advance(1_000);
  assert.deepEqual([there.items.length, other.items.length, channel.size], [1, 1, 2]);
  there.subscription.leave();
  other.subscription.leave();
  assert.equal(channel.size, 0);
  assert.equal(clock.pending, 0);
});

test('of a feed that begins at the beginning of its log, newcomers have nothing to wait for', () => {
  const { join, accept, flush } = numbers();
  const [one, two] = [
    join({ from: { from: new Map(), acceptedAtMs: 1 } }),
    join({ from: { from: new Map(), acceptedAtMs: 2 } }),
  ];
  accept(1);
  flush();
  accept(2);
  flush();
  assert.deepEqual(numbersOf(one), [1, 2]);
  assert.deepEqual(numbersOf(two), [1, 2]);
  assert.equal(one.parcels[1], two.parcels[1]);
});

test('at the end comes first what is due', () => {
  const { channel, join, accept } = numbers();
  const member = join();
  const newcomer = join({ from: joinAt(0) });
  accept(1);
  channel.end(new Error('gone'), beginning);
  assert.deepEqual(numbersOf(member), [1]);
  assert.deepEqual(numbersOf(newcomer), [1]);
  assert.deepEqual([...member.ends, ...newcomer.ends].map(String), ['Error: gone', 'Error: gone']);
  assert.equal(channel.size, 0);
});

const wheres: readonly Conditions[] = [
  [],
  [{ property: 'user', operator: 'EQ', value: 1 }],
  [{ property: 'user', operator: 'IN', value: [0, 2] }],
  [{ property: 'user', operator: 'GTE', value: 1 }],
];
const shapes: readonly (Batching | null)[] = [
  null,
  { maxEvents: 3, maxWaitMs: 0 },
  { maxEvents: 3, maxWaitMs: 50 },
];

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('record' as const),
      partition: fc.nat(1),
      user: fc.nat(2),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('turn' as const),
      picks: fc.array(fc.nat(20), { maxLength: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('join' as const),
      where: fc.constantFrom(...wheres),
      shape: fc.constantFrom(...shapes),
      isShared: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('leave' as const), which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('wait' as const), ms: fc.constantFrom(10, 50) }),
  },
);

/** One subscriber, and what it should get by a model that serves each by itself. */
interface Member {
  readonly listening: Listening<EventMessage> | Listening<EventBatch>;
  readonly where: Conditions;
  readonly shape: Batching | null;
  readonly join: JoinPoint;
  readonly expected: EventMessage[];
}

function eventsOf({ listening: { items } }: Member): EventMessage[] {
  return items.flatMap((item) => ('events' in item ? [...item.events] : [item]));
}

interface Recorded extends MessageSource {
  readonly message: EventMessage;
}

/** A log of two partitions, read in any order between them, and a channel for each kind of groups. */
class World {
  readonly clock = new ManualClock();
  readonly members: Member[] = [];
  readonly #singles = new Channel<EventMessage, EventMessage, null>(() => new SingleGroup());
  readonly #batches = new Channel<EventMessage, EventBatch, Batching>((batching) =>
    this.#open(batching),
  );
  readonly #ends = [0, 0];
  #pending: Recorded[] = [];
  #lastJoin: JoinPoint | undefined;

  get size(): number {
    return this.#singles.size + this.#batches.size;
  }

  record(partition: number, user: number): void {
    const offset = this.#ends[partition] ?? 0;
    this.#ends[partition] = offset + 1;
    const event = sketched({ id: `${partition}/${offset}`, partition, offset, at: 0 });
    const message = new EventMessage('t', event, false, nowhere);
    this.#pending.push({ partition, offset, recordedAtMs: 0, payload: { user }, message });
    this.#lastJoin = undefined;
  }

  /** Releases records in any order, as a sequencer may, and ends the turn. */
  turn(picks: readonly number[]): void {
    for (const pick of picks) {
      const [recorded] = this.#pending.splice(pick % Math.max(1, this.#pending.length), 1);
      if (recorded === undefined) break;
      this.#singles.accept(recorded.message, recorded);
      this.#batches.accept(recorded.message, recorded);
      for (const { where, join, expected } of this.members) {
        const isNew = recorded.offset >= (join.from.get(recorded.partition) ?? 0);
        if (isNew && compileFilter(where)(recorded.payload)) expected.push(recorded.message);
      }
    }
    const lowest = () =>
      new Map(
        this.#ends.map((end, partition) => [
          partition,
          Math.min(
            end,
            ...this.#pending.filter((it) => it.partition === partition).map(({ offset }) => offset),
          ),
        ]),
      );
    this.#singles.flush(someTurn, lowest);
    this.#batches.flush(someTurn, lowest);
  }

  turnOfAll(): void {
    this.turn(this.#pending.map(() => 0));
  }

  join(where: Conditions, shape: Batching | null, isShared: boolean): void {
    const from = new Map(this.#ends.map((end, partition) => [partition, end]));
    const known = isShared ? this.#lastJoin : undefined;
    const join = known ?? { from, acceptedAtMs: Number.POSITIVE_INFINITY };
    this.#lastJoin = join;
    const rest = { where, shape, join, expected: [] };
    if (shape === null) {
      const member = listening<EventMessage>((left) => this.#singles.remove(left));
      this.#singles.add(
        member.subscription,
        { where: whereOf(where), shape },
        { at: beginning, join },
      );
      this.members.push({ listening: member, ...rest });
    } else {
      const member = listening<EventBatch>((left) => this.#batches.remove(left));
      this.#batches.add(
        member.subscription,
        { where: whereOf(where), shape },
        { at: beginning, join },
      );
      this.members.push({ listening: member, ...rest });
    }
  }

  leave(which: number): void {
    const [member] = this.members.splice(which % Math.max(1, this.members.length), 1);
    member?.listening.subscription.leave();
  }

  #open(batching: Batching): GroupOf<EventMessage, EventBatch> {
    const { clock } = this;
    return new BatchGroup(batching, {
      clock,
      watermarkMs: () => null,
      position: () => beginning,
      encode: nowhere.encode,
      onDelivered: () => undefined,
    });
  }
}

/** What was received of what is expected so far: all of it, or in batches what has been sent of it. */
function check(member: Member, isSettled: boolean): void {
  const received = eventsOf(member);
  const { expected, shape } = member;
  const isComplete = isSettled || shape === null || shape.maxWaitMs === 0;
  const due = isComplete ? expected : expected.slice(0, received.length);
  assert.deepEqual(
    received.map(({ event }) => event.id),
    due.map(({ event }) => event.id),
  );
  for (const item of member.listening.items) {
    if (!('events' in item) || shape === null) continue;
    assert.ok(item.events.length > 0 && item.events.length <= shape.maxEvents);
  }
}

test('property: each gets what it would get alone, in that order, once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60, size: 'max' }), async (actions) => {
      const world = new World();
      for (const now of actions) {
        if (now.does === 'record') world.record(now.partition, now.user);
        else if (now.does === 'turn') world.turn(now.picks);
        else if (now.does === 'join') world.join(now.where, now.shape, now.isShared);
        else if (now.does === 'leave') world.leave(now.which);
        else await world.clock.advance(now.ms);
        for (const member of world.members) check(member, false);
        assert.equal(world.size, world.members.length);
      }
      world.turnOfAll();
      await world.clock.advance(50);
      for (const member of world.members) check(member, true);
      // By now nothing can come that any of them must not get: they are one group.
      for (const user of [0, 1, 2]) world.record(0, user);
      world.turnOfAll();
      await world.clock.advance(50);
      const last = new Map<string, unknown>();
      for (const member of world.members) {
        check(member, true);
        const wish = JSON.stringify([member.where, member.shape]);
        const parcel = member.listening.parcels.at(-1);
        assert.equal(last.get(wish) ?? parcel, parcel);
        last.set(wish, parcel);
      }
      while (world.members.length > 0) world.leave(0);
      assert.equal(world.size, 0);
      assert.equal(world.clock.pending, 0);
    }),
    { numRuns: 200 },
  );
});

test('a message from before the join point is left out, by its offset and the broker’s time', () => {
  const { channel, join, flush } = numbers();
  const member = join({ from: { from: new Map([[0, 5]]), acceptedAtMs: 100 } });
  const at = (number: number, offset: number, recordedAtMs: number): void =>
    channel.accept(new Numbered(number), { partition: 0, offset, recordedAtMs, payload: {} });
  at(1, 3, 99);
  at(2, 4, 100);
  at(3, 5, 99);
  flush(4);
  assert.deepEqual(numbersOf(member), [2, 3]);
  assert.equal(channel.size, 1);
});

test('while nothing is passed there are so many join points at the most, and nobody loses anything', () => {
  const { join, accept, flush } = numbers();
  const count = 200;
  const members = Array.from({ length: count }, (_, at) => join({ from: joinAt(at) }));
  for (let number = 0; number < count; number += 1) accept(number);
  flush(0);
  for (const [at, member] of members.entries()) {
    const numbers = numbersOf(member);
    // Those who share the last one get a little from before they came.
    const from = Math.min(at, 63);
    assert.deepEqual(
      numbers,
      Array.from({ length: count - from }, (_, index) => from + index),
    );
  }
  const parcels = new Set(members.map(({ parcels: [first] }) => first));
  assert.equal(parcels.size, 64);
});
