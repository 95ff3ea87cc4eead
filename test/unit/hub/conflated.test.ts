import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Delivery, parseDelivery } from '../../../src/hub/delivery.ts';
import type { HubOptions } from '../../../src/hub/hub.ts';
import type { EventBatch, EventMessage } from '../../../src/hub/message.ts';
import type { Parcel } from '../../../src/hub/parcel.ts';
import type { Subscriber } from '../../../src/hub/subscriber.ts';
import type { Subscription } from '../../../src/hub/subscription.ts';
import type { EventOrder } from '../../../src/sequence/order.ts';
import { Dice } from '../../model/dice.ts';
import { openHub, settled, type TestHub } from '../../support/hub.ts';

/** Random histories for each mode; more by `MILLRACE_SEEDS`, from `MILLRACE_SEED` on. */
const seeds = Number(process.env['MILLRACE_SEEDS'] ?? 10);
const firstSeed = Number(process.env['MILLRACE_SEED'] ?? 1);
const rounds = 40;
const everyMs = 400;
const byUser = parseDelivery({ mode: 'LATEST', by: 'user', everyMs });
const newest = parseDelivery({ mode: 'LATEST', everyMs });
const sample = parseDelivery({ mode: 'SAMPLE', everyMs });

/** A subscriber who takes what comes when it is told to, and loses what it has not taken when told so. */
class Screen {
  readonly parcels: Parcel<EventMessage | EventBatch>[] = [];
  readonly events: EventMessage[] = [];
  cursor: string | undefined;
  isSlow = false;
  /** It was told that it has come to what is recorded now. */
  isLive = false;
  #waiting: Parcel<EventMessage | EventBatch>[] = [];
  #whenTaken: (() => void)[] = [];
  #subscription: { leave(): void; fellBehind(at: Parcel['before']): void } | undefined;

  attach<Item extends EventMessage | EventBatch>(subscription: Subscription<Item>): void {
    const waiting = (): number => this.#waiting.length;
    const subscriber: Subscriber<Item> = {
      get backlogBytes() {
        return waiting();
      },
      deliver: (parcel) => {
        this.#waiting.push(parcel);
        if (!this.isSlow) this.take();
      },
      whenTaken: (taken) => {
        this.#whenTaken.push(taken);
        if (!this.isSlow || waiting() === 0) setImmediate(() => this.take());
      },
      end: (error) => assert.equal(error, undefined),
    };
    this.#subscription = subscription;
    subscription.attach(subscriber);
  }

  take(): void {
    if (this.isSlow && this.#waiting.length > 0) return;
    for (const parcel of this.#waiting.splice(0)) {
      if (parcel.items.length > 0) this.parcels.push(parcel);
      for (const item of parcel.items) this.#see(item);
      this.#hear(parcel);
    }
    for (const taken of this.#whenTaken.splice(0)) taken();
  }

  /** Takes only some of the messages that wait, and goes. */
  leave(takes: number): void {
    let left = takes;
    for (const parcel of this.#waiting.splice(0)) {
      const items = parcel.items.slice(0, left);
      left -= items.length;
      for (const item of items) this.#see(item);
      if (left > 0) this.#hear(parcel);
    }
    this.#whenTaken = [];
    this.#subscription?.leave();
    this.#subscription = undefined;
  }

  #see(item: EventMessage | EventBatch): void {
    this.events.push(...('events' in item ? item.events : [item]));
    this.cursor = item.cursor;
  }

  /** The cursor of a report is as good as that of a message. */
  #hear({ items, encode, after, isLive }: Parcel<EventMessage | EventBatch>): void {
    if (items.length === 0 && encode !== undefined) this.cursor = encode(after);
    if (isLive === true) this.isLive = true;
  }

  /** What waits is too much. */
  lose(): void {
    const [first] = this.#waiting.splice(0);
    if (first !== undefined) this.#subscription?.fellBehind(first.before);
  }
}

async function connect(
  { hub, principal }: TestHub,
  screen: Screen,
  wish: { readonly order: EventOrder; readonly delivery: Delivery; readonly isBatched: boolean },
): Promise<void> {
  const { isBatched, ...rest } = wish;
  const start = screen.cursor === undefined ? { sinceMs: 0 } : { after: screen.cursor };
  const request = { topic: 'purchases', deduplicate: true, where: [], ...rest, ...start };
  if (isBatched) {
    const batching = { maxEvents: 4, maxWaitMs: 100 };
    screen.attach(await hub.eventBatches(principal, { ...request, batching }));
  } else {
    screen.attach(await hub.events(principal, request));
  }
}

async function live(t: TestContext, order: EventOrder, seed: number): Promise<void> {
  const dice = new Dice(seed * 11 + order.length);
  const options = {
    historyBytes: [1, 30_000, 2 ** 22][dice.below(3)] ?? 1,
    keeping: { maxValues: [2, 1_000][dice.below(2)] ?? 2, maxBytes: 2 ** 20 },
    maxPrivateFeedsPerProject: 3,
  };
  const first = openHub(t, { topics: { purchases: 3 }, options });
  const { clock, kafka } = first;
  const second = openHub(t, {
    topics: {},
    options: { ...options, clock },
    driver: () => kafka.driver(),
  });
  const instances = [first, second];
  let [recorded, sequence] = [0, 0];
  /** By the order in which they were recorded. */
  const ids: string[] = [];
  const recordSome = (count: number): void => {
    for (let each = 0; each < count; each += 1) {
      const isCopy = ids.length > 0 && dice.oneIn(6);
      const id = isCopy ? (ids[dice.below(ids.length)] ?? '') : `event ${recorded}`;
      if (!isCopy) ids.push(id);
      recorded += 1;
      sequence += 1;
      const at = new Date(clock.now() - dice.below(1_500)).toISOString();
      const n = Math.max(0, sequence - dice.below(5));
      const value = JSON.stringify({ id, at, n, user: dice.below(5), pad: 'x'.repeat(100) });
      kafka.append('purchases', { partition: dice.below(3), value });
    }
  };
  const screens = [byUser, sample].flatMap((delivery) =>
    [false, true].map((isBatched) => ({
      screen: new Screen(),
      wish: { order, delivery, isBatched },
    })),
  );
  const pending = new Set<Promise<void>>();
  const connectTo = (at: number, { screen, wish }: (typeof screens)[number]): void => {
    const connected = connect(instances[at] ?? first, screen, wish).finally(() =>
      pending.delete(connected),
    );
    pending.add(connected);
  };
  for (const each of screens) connectTo(dice.below(2), each);
  await clock.advance(100);
  for (let round = 0; round < rounds; round += 1) {
    recordSome(dice.below(60));
    for (const each of screens) {
      each.screen.isSlow = dice.oneIn(3);
      each.screen.take();
      if (each.screen.isSlow && dice.oneIn(3)) each.screen.lose();
      if (!dice.oneIn(5) || pending.size > 0) continue;
      each.screen.leave(dice.below(4));
      connectTo(dice.below(2), each);
    }
    await clock.advance(dice.below(dice.oneIn(8) ? 30_000 : 1_500));
  }
  for (const { screen } of screens) screen.isSlow = false;
  for (let turn = 0; turn < 100; turn += 1) {
    for (const { screen } of screens) screen.take();
    await clock.advance(300);
  }
  await Promise.all(pending);
  for (const { screen, wish } of screens) {
    const what = JSON.stringify(wish);
    const got = screen.events.map(({ event }) => String(event.id));
    assert.equal(new Set(got).size, got.length, `${what}: twice`);
    assert.equal(accountedBy(screen), ids.length, `${what}: delivered and left out`);
    assert.ok(got.length < ids.length, `${what}: nothing was left out`);
    screen.leave(0);
  }
  for (const { hub } of instances) await hub.close();
  assert.equal(clock.pending, 0, 'timers are left');
}

for (const order of ['TIMESTAMP', 'SEQUENCE', 'ARRIVAL'] satisfies EventOrder[]) {
  test(`${order}: over reconnects, losses and instances each event is delivered or counted, once`, async (t) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
      try {
        await live(t, order, seed);
      } catch (error) {
        throw new Error(`MILLRACE_SEED=${seed}`, { cause: error });
      }
    }
  });
}

/** Messages as they came, with what they leave out. */
function told({ events }: Screen): string[] {
  return events.map(({ event, omitted }) => `${event.id} +${omitted}`);
}

function accountedBy({ events }: Screen): number {
  return events.reduce((sum, { omitted }) => sum + omitted + 1, 0);
}

function openStage(t: TestContext, options: Partial<HubOptions> = {}) {
  const stage = openHub(t, { topics: { purchases: 2 }, options });
  const { clock, kafka, hub, principal } = stage;
  const record = (
    id: string,
    user: unknown,
    more: Readonly<Record<string, unknown>> = {},
  ): void => {
    const value = JSON.stringify({ id, user, at: new Date(clock.now()).toISOString(), ...more });
    kafka.append('purchases', { partition: 0, value });
  };
  const open = async (
    request: object = {},
    by = principal,
    screen = new Screen(),
  ): Promise<Screen> => {
    const subscription = hub.events(by, {
      topic: 'purchases',
      order: 'ARRIVAL',
      deduplicate: true,
      where: [],
      delivery: byUser,
      ...request,
    });
    screen.attach(await settled(subscription));
    return screen;
  };
  return { ...stage, record, open };
}

test('copies are neither delivered nor counted', async (t) => {
  const { clock, record, open } = openStage(t);
  const screen = await open();
  record('a', 1);
  await clock.advance(50);
  for (const id of ['a', 'b', 'a', 'b', 'c']) record(id, 1);
  await clock.advance(2 * everyMs);
  assert.deepEqual(told(screen), ['a +0', 'c +1']);
});

test('what filters hide is not counted: neither those asked for nor those of the credentials', async (t) => {
  const { clock, record, open, principal } = openStage(t);
  const mine = { property: 'owner', operator: 'EQ', value: 'me' } as const;
  const where = [{ property: 'size', operator: 'GT', value: 1 }];
  const screen = await open({ where }, { ...principal, filter: [mine] });
  record('first', 1, { owner: 'me', size: 2 });
  await clock.advance(50);
  record('hidden', 1, { owner: 'them', size: 2 });
  record('small', 1, { owner: 'me', size: 1 });
  record('one', 1, { owner: 'me', size: 2 });
  record('hidden too', 1, { owner: 'them', size: 2 });
  record('two', 1, { owner: 'me', size: 2 });
  record('hidden last', 1, { owner: 'them', size: 2 });
  await clock.advance(2 * everyMs);
  assert.deepEqual(told(screen), ['first +0', 'two +1']);
  // Nor of what is remembered.
  const again = await open(
    { where, after: screen.events[0]?.cursor },
    { ...principal, filter: [mine] },
  );
  assert.deepEqual(told(again), ['two +1']);
});

test('since, and whoever comes back after long, gets the newest of each value at once', async (t) => {
  const { clock, record, open } = openStage(t);
  const screen = await open();
  record('0', 0);
  await clock.advance(50);
  for (let at = 1; at <= 1_000; at += 1) record(`${at}`, at % 3);
  await clock.advance(2 * everyMs);
  assert.deepEqual(told(screen), ['0 +0', '998 +997', '999 +0', '1000 +0']);
  const [first] = screen.events;
  const resumed = await open({ after: first?.cursor });
  await clock.advance(1_000);
  assert.deepEqual(told(resumed), ['998 +997', '999 +0', '1000 +0']);
  assert.equal(resumed.parcels.length, 1);
  const since = await open({ sinceMs: clock.now() - 60_000 });
  await clock.advance(5_000);
  assert.equal(accountedBy(since), 1_001);
  assert.deepEqual(told(since).at(-1)?.slice(0, 4), '1000');
  const part = await open({ after: resumed.events[1]?.cursor });
  await clock.advance(1_000);
  assert.deepEqual(told(part), ['1000 +0']);
});

test('who loses what it is handed of much that is remembered gets it again', async (t) => {
  const { clock, record, open } = openStage(t);
  const screen = await open();
  record('0', 0);
  await clock.advance(50);
  for (let at = 1; at <= 1_000; at += 1) record(`${at}`, at % 3);
  await clock.advance(2 * everyMs);
  const resumed = new Screen();
  resumed.isSlow = true;
  await open({ after: screen.events[0]?.cursor }, undefined, resumed);
  await clock.advance(50);
  resumed.lose();
  assert.deepEqual(told(resumed), []);
  resumed.isSlow = false;
  resumed.take();
  await clock.advance(1_000);
  assert.deepEqual(told(resumed), ['998 +997', '999 +0', '1000 +0']);
});

test('subscribers with equal settings are one group, however they came', async (t) => {
  const { clock, record, open } = openStage(t);
  const live = [await open(), await open({ delivery: parseDelivery({ ...byUser }) })];
  record('a', 1);
  await clock.advance(50);
  record('b', 1);
  await clock.advance(50);
  live.push(await open(), await open({ after: live[0]?.events[0]?.cursor }));
  const others = [await open({ delivery: sample }), await open({ delivery: parseDelivery(null) })];
  record('c', 1);
  await clock.advance(2 * everyMs);
  record('d', 2);
  await clock.advance(2 * everyMs);
  const [first] = live;
  for (const { parcels } of live) assert.equal(parcels.at(-1), first?.parcels.at(-1));
  for (const { parcels } of others) assert.notEqual(parcels.at(-1), first?.parcels.at(-1));
  assert.deepEqual(
    live.map((screen) => told(screen).at(-1)),
    ['d +0', 'd +0', 'd +0', 'd +0'],
  );
});

test('who goes on from where it began, within an interval of others, gets what was kept', async (t) => {
  const { clock, record, open, events } = openStage(t);
  await open();
  record('a', 1);
  await clock.advance(50);
  const subscription = await settled(events({ order: 'ARRIVAL', delivery: byUser }));
  record('b', 1);
  await clock.advance(50);
  const { startCursor } = subscription;
  assert.ok(startCursor);
  await subscription.return();
  const resumed = await open({ after: startCursor });
  await clock.advance(everyMs);
  assert.deepEqual(told(resumed), ['b +0']);
});

test('who is told that it is live, while a reader still keeps something, goes on from before that', async (t) => {
  const { clock, kafka, hub, principal, open } = openStage(t, { historyBytes: 1 });
  let recorded = 0;
  const record = (partition: number, count: number): void => {
    for (let each = 0; each < count; each += 1) {
      recorded += 1;
      const at = new Date(clock.now()).toISOString();
      const value = JSON.stringify({ id: `${recorded}`, n: recorded, at, pad: 'x'.repeat(1_000) });
      kafka.append('purchases', { partition, value });
    }
  };
  // More than one answer brings.
  record(0, 1_500);
  await clock.advance(10_000);
  record(0, 900);
  record(1, 900);
  await clock.advance(500);
  const request = { topic: 'purchases', order: 'SEQUENCE', delivery: newest } as const;
  const screen = new Screen();
  const subscription = hub.events(principal, {
    ...request,
    deduplicate: true,
    where: [],
    sinceMs: 0,
  });
  await clock.advance(100);
  screen.attach(await subscription);
  for (let wait = 0; wait < 100 && !screen.isLive; wait += 1) await clock.advance(10);
  assert.equal(screen.isLive, true);
  assert.ok(accountedBy(screen) < recorded, 'nothing was kept');
  screen.leave(0);
  const resumed = new Screen();
  resumed.events.push(...screen.events);
  const again = open({ ...request, after: screen.cursor }, principal, resumed);
  await clock.advance(5_000);
  await again;
  await clock.advance(5_000);
  assert.equal(accountedBy(resumed), recorded);
});

test('intervals that end early are counted', async (t) => {
  const { clock, record, open, hub, principal } = openStage(t, {
    keeping: { maxValues: 2, maxBytes: 2 ** 20 },
  });
  const screen = await open();
  record('first', 0);
  await clock.advance(50);
  for (const user of [1, 2, 3, 4, 5]) record(`${user}`, user);
  await clock.advance(50);
  assert.deepEqual(told(screen), ['first +0', '1 +0', '2 +0', '3 +0', '4 +0']);
  assert.equal(hub.countsOf(principal, 'purchases')?.cutIntervals, 2);
  await clock.advance(everyMs);
  assert.equal(accountedBy(screen), 6);
});

test('late events are delivered, and do not stand for one in time', async (t) => {
  const { clock, kafka, open } = openStage(t);
  const delivery = parseDelivery({ mode: 'LATEST', by: 'user', everyMs: 5_000 });
  const screen = await open({ order: 'TIMESTAMP', delivery });
  const at = (id: string, agoMs: number): void => {
    const value = JSON.stringify({ id, user: 1, at: new Date(clock.now() - agoMs).toISOString() });
    kafka.append('purchases', { partition: 0, value });
  };
  // It comes when the lateness of 2 s is over, and begins an interval.
  at('first', 0);
  await clock.advance(1_000);
  at('in time', 0);
  await clock.advance(2_200);
  at('too old', 60_000);
  await clock.advance(6_000);
  assert.deepEqual(told(screen), ['first +0', 'in time +1']);
  at('old alone', 60_000);
  await clock.advance(6_000);
  assert.deepEqual(told(screen).at(-1), 'old alone +0');
  assert.equal(screen.events.at(-1)?.late, true);
  // The one that was left out was counted: it is not to come again.
  const resumed = await open({ order: 'TIMESTAMP', delivery, after: screen.events[1]?.cursor });
  assert.deepEqual(told(resumed), ['old alone +0']);
});

test('what is kept comes before the end', async (t) => {
  const { clock, record, hub, events } = openStage(t);
  const subscription = await settled(events({ order: 'ARRIVAL', delivery: byUser }));
  const taken: string[] = [];
  const done = (async () => {
    for await (const batch of subscription) taken.push(...batch.map(({ event }) => `${event.id}`));
  })();
  record('a', 1);
  await clock.advance(50);
  record('b', 1);
  await clock.advance(50);
  assert.deepEqual(taken, ['a']);
  await hub.close();
  await done;
  assert.deepEqual(taken, ['a', 'b']);
});
