import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { BatchGroup, type BatchGroupOptions } from '../../../../src/hub/batch-group.ts';
import { ConflatedGroup, type GroupPlace } from '../../../../src/hub/conflation/conflated-group.ts';
import { beginning, type StreamPosition } from '../../../../src/hub/cursor/stream-position.ts';
import type { Conflated } from '../../../../src/hub/delivery.ts';
import { type Group, type GroupOf, SingleGroup } from '../../../../src/hub/group.ts';
import { type Waiting, WaitingBytes } from '../../../../src/hub/keeping.ts';
import { EventBatch, EventMessage } from '../../../../src/hub/message.ts';
import type { Parcel } from '../../../../src/hub/parcel.ts';
import { sketched } from '../../../support/events.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { type Listening, listening } from '../../../support/messages.ts';

type Item = EventMessage | EventBatch;

const everyMs = 250;
const byUser: Conflated = { mode: 'LATEST', by: 'user', everyMs };
const sample: Conflated = { mode: 'SAMPLE', everyMs };
const encode = ({ next }: StreamPosition): string => String(next[0] ?? 0);

/** Of a log of one partition: the number of events before it. */
function positionAt(count: number): StreamPosition {
  return count === 0 ? beginning : { key: null, next: [count], lowest: [count] };
}

const countAt = ({ next }: StreamPosition): number => next[0] ?? 0;

interface StageOptions {
  readonly delivery?: Conflated;
  readonly maxValues?: number;
  readonly waiting?: Waiting;
}

interface Member<Out extends Item> extends Listening<Out> {
  readonly joinedAt: number;
  /** When each parcel came. */
  readonly times: number[];
}

/** What it got. */
type Seen = Omit<Member<Item>, 'subscription'>;

/** Makes the group that puts together what is delivered. */
type Open<Out extends Item> = (
  options: GroupPlace & Pick<BatchGroupOptions, 'clock' | 'onDelivered'>,
) => Group<Out> & GroupOf<EventMessage, Out>;

const oneByOne: Open<EventMessage> = () => new SingleGroup();

const inBatches =
  (maxEvents: number, maxWaitMs: number): Open<EventBatch> =>
  (options) =>
    new BatchGroup({ maxEvents, maxWaitMs }, { ...options, encode });

/** A group of a stream that has nothing else to deliver, on a clock that stands still. */
class Stage<Out extends Item> {
  readonly clock = new ManualClock();
  readonly group: ConflatedGroup<Out>;
  readonly users: number[] = [];
  /** Deliveries that the group told of. */
  delivered = 0;
  cuts = 0;
  #at = beginning;
  #watermarkMs = 0;

  constructor(
    open: Open<Out>,
    { delivery = byUser, maxValues = 1_000, waiting }: StageOptions = {},
  ) {
    const { clock } = this;
    const onDelivered = (deliveries: number): void => {
      this.delivered += deliveries;
    };
    this.group = new ConflatedGroup<Out>(delivery, {
      clock,
      bounds: { maxValues, maxBytes: 1_000_000 },
      waiting,
      position: () => this.#at,
      watermarkMs: () => this.#watermarkMs,
      open: (place) => open({ ...place, clock, onDelivered }),
      onCut: () => {
        this.cuts += 1;
      },
      onDelivered,
    });
  }

  /** The stream emits an event of each user, and ends its turn. The nth event is of the time n. */
  turn(...users: readonly number[]): void {
    const before = this.#at;
    for (const user of users) {
      const offset = this.users.length;
      this.users.push(user);
      const event = sketched({ id: `${offset}`, offset, at: offset, json: `{"user":${user}}` });
      const place = { position: positionAt(offset + 1), encode };
      this.group.accept(new EventMessage('t', event, false, place));
    }
    this.#at = positionAt(this.users.length);
    this.#watermarkMs = this.users.length;
    this.delivered += this.group.flush({ before, after: this.#at });
  }

  join(onDelivery: (parcel: Parcel<Out>) => void = () => undefined): Member<Out> {
    const times: number[] = [];
    const member = listening<Out>(
      (left) => {
        this.group.remove(left);
        if (this.group.size === 0) this.group.close();
      },
      (parcel) => {
        if (parcel.items.length > 0) times.push(this.clock.now());
        onDelivery(parcel);
      },
    );
    this.delivered += this.group.makeRoom(this.#at);
    this.group.add(member.subscription, this.#at);
    return { ...member, joinedAt: this.users.length, times };
  }

  report(): void {
    this.group.report(this.#at, encode);
  }

  settle(): void {
    this.group.settle();
    this.delivered += this.group.flush({ before: this.#at, after: this.#at });
  }
}

function eventsOf({ items }: Seen): EventMessage[] {
  return items.flatMap((item) => (item instanceof EventBatch ? item.events : [item]));
}

/** Which came, and how many were left out before each. */
function told(member: Seen): [number, number][] {
  return eventsOf(member).map(({ event, omitted }) => [event.offset, omitted]);
}

test('the first event goes out with its turn, the next ones at the end of the interval', async () => {
  const stage = new Stage(oneByOne);
  const member = stage.join();
  stage.turn(1);
  assert.deepEqual(told(member), [[0, 0]]);
  await stage.clock.advance(100);
  stage.turn(1, 2);
  stage.turn(1);
  await stage.clock.advance(149);
  assert.equal(member.parcels.length, 1);
  await stage.clock.advance(1);
  assert.deepEqual(told(member).slice(1), [
    [2, 1],
    [3, 0],
  ]);
  assert.equal(member.parcels.length, 2);
  assert.equal(stage.delivered, 3);
});

test('after a silence of an interval the next event goes out at once again', async () => {
  const stage = new Stage(oneByOne);
  const member = stage.join();
  stage.turn(1);
  await stage.clock.advance(everyMs);
  assert.equal(stage.clock.pending, 0);
  stage.turn(2);
  assert.deepEqual(told(member), [
    [0, 0],
    [1, 0],
  ]);
});

test('the last event comes when nothing follows it', async () => {
  const stage = new Stage(oneByOne);
  const member = stage.join();
  stage.turn(1);
  stage.turn(1);
  stage.turn(1);
  await stage.clock.advance(10 * everyMs);
  assert.deepEqual(told(member), [
    [0, 0],
    [2, 1],
  ]);
  assert.equal(stage.clock.pending, 0);
});

test('of the events of one turn after a silence the newest go out', () => {
  const stage = new Stage(oneByOne);
  const member = stage.join();
  stage.turn(1, 2, 1);
  assert.deepEqual(told(member), [
    [1, 1],
    [2, 0],
  ]);
});

test('at the bound the interval ends early, also in the midst of a turn', async () => {
  const stage = new Stage(oneByOne, { maxValues: 2 });
  const member = stage.join();
  stage.turn(0);
  stage.turn(1, 1, 2, 3);
  assert.deepEqual(told(member), [
    [0, 0],
    [2, 1],
    [3, 0],
  ]);
  assert.equal(stage.cuts, 1);
  const [, second] = member.parcels;
  assert.deepEqual(
    [second?.before, second?.after].map((at) => at && countAt(at)),
    [1, 4],
  );
  await stage.clock.advance(everyMs);
  assert.deepEqual(told(member).at(-1), [4, 0]);
  const last = member.parcels.at(-1);
  assert.deepEqual(
    [last?.before, last?.after].map((at) => at && countAt(at)),
    [4, 5],
  );
});

test('those who are in the group from the beginning get one parcel, also of what is due later', async () => {
  const stage = new Stage(oneByOne);
  const members = [stage.join(), stage.join(), stage.join()];
  stage.turn(1);
  stage.turn(1, 2);
  await stage.clock.advance(everyMs);
  const [first] = members;
  assert.equal(first?.parcels.length, 2);
  for (const { parcels } of members) {
    assert.deepEqual(parcels.length, 2);
    for (const [at, parcel] of parcels.entries()) assert.equal(parcel, first?.parcels[at]);
  }
});

test('who joins within an interval cuts it short for nobody, and is then one of the group', async () => {
  const stage = new Stage(oneByOne);
  const there = stage.join();
  stage.turn(1);
  stage.turn(1, 2);
  const [one, two] = [stage.join(), stage.join()];
  stage.turn(2, 3);
  const three = stage.join();
  assert.deepEqual(there.parcels.length, 1);
  await stage.clock.advance(everyMs);
  assert.deepEqual(told(there), [
    [0, 0],
    [1, 0],
    [3, 1],
    [4, 0],
  ]);
  // Of the same events the same messages, but for the counts of the first.
  assert.deepEqual(told(one), [
    [3, 0],
    [4, 0],
  ]);
  assert.equal(one.items[1], there.items[3]);
  assert.equal(one.parcels[0], two.parcels[0]);
  assert.deepEqual(told(three), []);
  stage.turn(1);
  await stage.clock.advance(everyMs);
  for (const member of [one, two, three]) {
    assert.equal(member.parcels.at(-1), there.parcels.at(-1));
  }
});

test('those who join where no event came in between are told apart together, and forgotten when they leave', async () => {
  const opened: SingleGroup<EventMessage>[] = [];
  const closed: unknown[] = [];
  const stage = new Stage(() => {
    const group = new SingleGroup<EventMessage>();
    group.close = () => closed.push(group);
    opened.push(group);
    return group;
  });
  const there = stage.join();
  stage.turn(1);
  stage.turn(1);
  const newcomers = Array.from({ length: 5 }, () => {
    stage.turn();
    return stage.join();
  });
  assert.equal(opened.length, 2);
  for (const { subscription } of newcomers) subscription.leave();
  assert.deepEqual(closed, opened.slice(1));
  const last = stage.join();
  stage.turn(2);
  await stage.clock.advance(everyMs);
  assert.deepEqual(told(last), [[2, 0]]);
  assert.equal(told(there).length, 3);
});

test('who leaves as the others are handed something gets nothing, also a newcomer', async () => {
  const stage = new Stage(oneByOne);
  const doomed: Member<EventMessage>[] = [];
  const there = stage.join(({ items }) => {
    if (items.length === 2) for (const { subscription } of doomed) subscription.leave();
  });
  stage.turn(1);
  stage.turn(1);
  doomed.push(stage.join());
  stage.turn(2);
  doomed.push(stage.join());
  const stays = stage.join();
  stage.turn(2);
  await stage.clock.advance(everyMs);
  assert.deepEqual(doomed.map(told), [[], []]);
  assert.deepEqual(told(stays), [[3, 0]]);
  assert.equal(stage.group.size, 2);
  stage.turn(4);
  await stage.clock.advance(everyMs);
  assert.deepEqual(doomed.map(told), [[], []]);
  there.subscription.leave();
  stays.subscription.leave();
  assert.equal(stage.group.size, 0);
  assert.equal(stage.clock.pending, 0);
});

test('when the last member leaves over what it is handed, no interval begins', async () => {
  const stage = new Stage(oneByOne);
  const member = stage.join(() => member.subscription.leave());
  stage.turn(1);
  assert.equal(stage.clock.pending, 0);
  const again = stage.join(({ items }) => {
    if (items[0]?.position.next[0] === 3) again.subscription.leave();
  });
  stage.turn(1);
  stage.turn(1);
  await stage.clock.advance(everyMs);
  assert.equal(stage.clock.pending, 0);
});

/** Where reports of progress stood. */
function reported({ parcels }: Seen): number[] {
  return parcels.filter(({ items }) => items.length === 0).map(({ after }) => countAt(after));
}

test('a report of progress stands before what is kept', async () => {
  const stage = new Stage(oneByOne);
  const member = stage.join();
  stage.turn(1);
  stage.report();
  stage.turn(1);
  const newcomer = stage.join();
  stage.turn();
  stage.report();
  assert.deepEqual(reported(member), [1]);
  assert.deepEqual(reported(newcomer), [2]);
  await stage.clock.advance(everyMs);
  stage.report();
  await stage.clock.advance(everyMs);
  stage.report();
  assert.deepEqual(reported(member), [1, 2]);
});

test('what is kept goes out when it is settled', async () => {
  const stage = new Stage(oneByOne);
  const member = stage.join();
  stage.turn(1);
  stage.turn(1);
  const newcomer = stage.join();
  stage.turn(2);
  stage.settle();
  assert.deepEqual(told(member).slice(1), [
    [1, 0],
    [2, 0],
  ]);
  assert.deepEqual(told(newcomer), [[2, 0]]);
  await stage.clock.advance(everyMs);
  assert.equal(member.parcels.length, 2);
});

test('what is due is put into batches', async () => {
  const stage = new Stage(inBatches(2, 0));
  const member = stage.join();
  stage.turn(1);
  stage.turn(1, 2, 3, 1);
  await stage.clock.advance(everyMs);
  const [, ...batches] = member.items;
  assert.deepEqual(
    batches.map((batch) =>
      batch instanceof EventBatch ? batch.events.map(({ event }) => event.offset) : [],
    ),
    [[2, 3], [4]],
  );
  assert.deepEqual(told(member), [
    [0, 0],
    [2, 1],
    [3, 0],
    [4, 0],
  ]);
});

const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('turn' as const),
      users: fc.array(fc.nat(4), { maxLength: 8 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 20, 100, 250, 600),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('join' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('leave' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('report' as const) }) },
);

/** @param users of all events so far @param isSettled nothing is kept any more */
function check(member: Seen, users: readonly number[], isSettled: boolean): void {
  const { joinedAt, parcels, items } = member;
  // Each message stands where it accounts for every event before.
  let counted = joinedAt;
  for (const { omitted, event, position } of eventsOf(member)) {
    counted += omitted + 1;
    assert.equal(countAt(position), counted);
    assert.ok(event.offset < counted && event.offset >= counted - omitted - 1);
  }
  if (isSettled) assert.equal(counted, users.length);
  // Parcels begin where the member stands, and end where it stands with them.
  let stands = joinedAt;
  for (const { before, after, items: own } of parcels) {
    assert.equal(countAt(before), stands);
    for (const item of own) stands = countAt(item.position);
    assert.equal(countAt(after), stands);
  }
  // Nothing that is still to come is older than a batch's watermark.
  const seen = new Set<EventMessage>();
  for (const item of items) {
    if (!(item instanceof EventBatch)) continue;
    for (const event of item.events) seen.add(event);
    for (const event of eventsOf(member)) {
      if (seen.has(event)) continue;
      assert.ok(event.event.timestampUs / 1_000 >= (item.watermarkMs ?? 0));
    }
  }
}

async function play<Out extends Item>(open: Open<Out>, delivery: Conflated): Promise<void> {
  const actions = fc.array(action, { maxLength: 60, size: 'max' });
  const property = fc.asyncProperty(
    actions,
    fc.constantFrom(3, 1_000),
    async (actions, maxValues) => {
      const stage = new Stage(open, { delivery, maxValues });
      const members = [stage.join()];
      const gone: Member<Out>[] = [];
      for (const now of actions) {
        if (now.does === 'turn') stage.turn(...now.users);
        else if (now.does === 'wait') await stage.clock.advance(now.ms);
        else if (now.does === 'report') stage.report();
        else if (now.does === 'join') members.push(stage.join());
        else if (members.length > 1) {
          for (const left of members.splice(now.which % members.length, 1)) {
            left.subscription.leave();
            gone.push(left);
          }
        }
        for (const member of [...members, ...gone]) check(member, stage.users, false);
        assert.equal(stage.group.size, members.length);
      }
      await stage.clock.advance(3 * everyMs);
      let deliveries = 0;
      for (const member of [...members, ...gone]) {
        check(member, stage.users, members.includes(member));
        const items: readonly Item[] = member.items;
        deliveries += items.filter((item) => !isReport(item)).length;
        const isSingle = items.every((item) => item instanceof EventMessage);
        // Batches go out when they are full, and whatever is too much.
        if (isSingle && maxValues > 5) checkIntervals(member);
      }
      assert.equal(stage.delivered, deliveries);
      if (delivery.mode === 'LATEST') for (const member of members) checkLast(member, stage.users);
      // By now they are one group.
      stage.turn(1);
      await stage.clock.advance(2 * everyMs);
      const [first] = members;
      for (const { parcels } of members) assert.equal(parcels.at(-1), first?.parcels.at(-1));
      for (const { subscription } of members) subscription.leave();
      assert.equal(stage.clock.pending, 0);
    },
  );
  await fc.assert(property, { numRuns: 150 });
}

function isReport(item: Item): boolean {
  return item instanceof EventBatch && item.events.length === 0;
}

function checkIntervals({ times }: Seen): void {
  for (const [at, time] of times.entries()) {
    assert.ok(time - (times[at - 1] ?? Number.NEGATIVE_INFINITY) >= everyMs);
  }
}

/** Of each user the last event has come. */
function checkLast(member: Seen, users: readonly number[]): void {
  const delivered = new Set(eventsOf(member).map(({ event }) => event.offset));
  for (const user of new Set(users)) {
    const last = users.lastIndexOf(user);
    assert.ok(last < member.joinedAt || delivered.has(last));
  }
}

for (const delivery of [byUser, sample]) {
  test(`property: ${delivery.mode}: nothing is lost or told twice, and intervals are kept`, () =>
    play(oneByOne, delivery));
  for (const [maxEvents, maxWaitMs] of [
    [2, 0],
    [3, 40],
  ] as const) {
    test(`property: ${delivery.mode} in batches of ${maxEvents}, within ${maxWaitMs} ms: nothing is lost or told twice`, () =>
      play(inBatches(maxEvents, maxWaitMs), delivery));
  }
}

for (const [what, delivery, atOnce] of [
  ['the newest of each user', byUser, 4],
  ['a sample', sample, 1],
] as const) {
  test(`what waits for a project in all its intervals is bounded, and given up with them: ${what}`, async () => {
    const waiting = new WaitingBytes(1_000).of('acme');
    const stage = new Stage(oneByOne, { delivery, waiting });
    const member = stage.join();
    stage.turn(0);
    assert.deepEqual([member.items.length, waiting.bytes], [1, 0]);
    stage.turn(1, 2, 3, 4);
    assert.equal(waiting.bytes, atOnce * '{"user":1}'.length);
    // Somebody else of the project keeps very much: nothing more waits here.
    waiting.add(1_000);
    stage.turn(5);
    assert.equal(stage.cuts, 1);
    assert.equal(waiting.bytes, 1_000);
    const accounted = told(member).reduce((sum, [, omitted]) => sum + omitted + 1, 0);
    assert.equal(accounted, 6);
    waiting.add(-1_000);
    stage.turn(6);
    await stage.clock.advance(2 * everyMs);
    assert.equal(waiting.bytes, 0);
    stage.turn(7);
    stage.turn(8);
    assert.ok(waiting.bytes > 0);
    member.subscription.leave();
    assert.equal(waiting.bytes, 0);
  });
}
