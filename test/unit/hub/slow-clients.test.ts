import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MillraceError } from '../../../src/core/errors.ts';
import type { EventOrder } from '../../../src/sequence/order.ts';
import { Dice } from '../../model/dice.ts';
import { openHub, type TestHub } from '../../support/hub.ts';
import { settle } from '../../support/manual-clock.ts';
import { SlowConnection, type TakenEvent } from '../../support/slow-connection.ts';

/** Random histories for each order; more by `MILLRACE_SEEDS`, from `MILLRACE_SEED` on. */
const seeds = Number(process.env['MILLRACE_SEEDS'] ?? 12);
const firstSeed = Number(process.env['MILLRACE_SEED'] ?? 1);
const rounds = 40;
const connections = 3;
const maxQueuedBytes = 6_000;
/** What clients ask for: events in an order, or dead letters. */
type Kind = EventOrder | 'DEAD LETTERS';
const byText = (a: string, b: string): number => (a < b ? -1 : 1);

/** A subscriber that always comes back with its last cursor. */
class Client {
  readonly name: string;
  readonly kind: Kind;
  readonly isBatched: boolean;
  readonly taken: TakenEvent[] = [];
  cursor: string | undefined;
  ended: unknown;

  constructor(name: string, kind: Kind, isBatched: boolean) {
    this.name = name;
    this.kind = kind;
    this.isBatched = isBatched;
  }

  async connect({ hub, principal }: TestHub, connection: SlowConnection): Promise<void> {
    const start = this.cursor === undefined ? { sinceMs: 0 } : { after: this.cursor };
    const ended = (error: Error | undefined): void => {
      this.ended ??= error ?? 'ended';
    };
    if (this.kind === 'DEAD LETTERS') {
      const subscription = await hub.deadLetters(principal, { topic: 'purchases', ...start });
      connection.add(this.name, subscription, ended);
      return;
    }
    const request = {
      topic: 'purchases',
      order: this.kind,
      deduplicate: true,
      where: [],
      ...start,
    };
    if (this.isBatched) {
      const batching = { maxEvents: 5, maxWaitMs: 300 };
      const subscription = await hub.eventBatches(principal, { ...request, batching });
      connection.add(this.name, subscription, ended);
    } else {
      connection.add(this.name, await hub.events(principal, request), ended);
    }
  }
}

async function live(t: TestContext, kind: Kind, seed: number): Promise<void> {
  const dice = new Dice(seed * 7 + kind.length);
  const options = {
    historyBytes: [1, 30_000, 2 ** 22][dice.below(3)] ?? 1,
    maxQueuedBytes,
    maxCatchUpReadersPerProject: 1 + dice.below(4),
  };
  // The dead-letter topic may come later.
  let isThere = kind !== 'DEAD LETTERS' || dice.oneIn(2);
  const topics = { purchases: 3, ...(isThere ? { 'purchases-dlq': 2 } : {}) };
  const first = openHub(t, { topics, options });
  const { clock, kafka } = first;
  const openAnother = (): TestHub =>
    openHub(t, { topics: {}, options: { ...options, clock }, driver: () => kafka.driver() });
  const instances = [first, openAnother()];
  const instance = (): TestHub => instances[dice.below(2)] ?? first;

  let [recorded, sequence] = [0, 0];
  const ids: string[] = [];
  const recordDeadLetters = (count: number): void => {
    for (let each = 0; each < count; each += 1) {
      const id = `dead letter ${recorded}`.padEnd(dice.below(300), 'x');
      recorded += 1;
      ids.push(id);
      if (dice.oneIn(2) && isThere) {
        const value = JSON.stringify({ event: id, error: 'bad' });
        kafka.append('purchases-dlq', { partition: dice.below(2), value });
      } else {
        kafka.append('purchases', { partition: dice.below(3), value: id });
      }
      // Events lie between them.
      if (dice.oneIn(3)) kafka.append('purchases', { partition: dice.below(3), value: '{}' });
    }
  };
  const recordSome = (count: number): void => {
    if (kind === 'DEAD LETTERS') {
      recordDeadLetters(count);
      return;
    }
    for (let each = 0; each < count; each += 1) {
      const isCopy = ids.length > 0 && dice.oneIn(5);
      const recent = ids.slice(-40);
      const id = isCopy ? (recent[dice.below(recent.length)] ?? '') : `event ${recorded}`;
      if (!isCopy) ids.push(id);
      recorded += 1;
      sequence += 1;
      const at = new Date(clock.now() - dice.below(3_000)).toISOString();
      const n = Math.max(0, sequence - dice.below(5));
      const value = JSON.stringify({ id, at, n, pad: 'x'.repeat(dice.below(300)) });
      kafka.append('purchases', { partition: dice.below(3), value });
    }
  };

  // The only one of a connection is sent things in another way than several are.
  const clientsPerConnection = dice.oneIn(2) ? 1 : 3;
  const clients = Array.from(
    { length: connections * clientsPerConnection },
    (_, index) => new Client(`${index}`, kind, index % 2 === 1),
  );
  const byName = new Map(clients.map((client) => [client.name, client]));
  const open = (): SlowConnection =>
    new SlowConnection(maxQueuedBytes, ({ client: name, events, cursor }) => {
      const client = byName.get(name);
      client?.taken.push(...events);
      if (client !== undefined) client.cursor = cursor;
    });
  const links = Array.from({ length: connections }, (_, index) => ({
    connection: open(),
    members: clients.slice(index * clientsPerConnection, (index + 1) * clientsPerConnection),
  }));
  const pending = new Set<Promise<void>>();
  const connectOne = async (client: Client, to: TestHub, over: SlowConnection): Promise<void> => {
    try {
      await client.connect(to, over);
    } catch (error) {
      // The instance ended before it had let the client in.
      if (!(error instanceof MillraceError) || error.code !== 'KAFKA_UNAVAILABLE') throw error;
      if (!over.isCut) await connectOne(client, instance(), over);
    }
  };
  const connect = (link: (typeof links)[number]): void => {
    const to = instance();
    for (const client of link.members) {
      const connected = connectOne(client, to, link.connection).finally(() =>
        pending.delete(connected),
      );
      pending.add(connected);
    }
  };
  const reconnect = (link: (typeof links)[number]): void => {
    link.connection.cut();
    link.connection = open();
    link.connection.isFast = dice.oneIn(2);
    connect(link);
  };
  for (const link of links) connect(link);

  for (let round = 0; round < rounds; round += 1) {
    if (round === rounds / 4 && !isThere) {
      kafka.createTopic('purchases-dlq', 2);
      isThere = true;
    }
    recordSome(dice.below(40));
    for (const link of links) {
      link.connection.isFast = !dice.oneIn(3);
      if (link.connection.isFast || dice.oneIn(2)) link.connection.take();
      if (dice.oneIn(6)) reconnect(link);
    }
    if (dice.oneIn(12)) {
      // An instance ends, and another one begins in its place.
      const at = dice.below(2);
      const gone = instances[at];
      instances[at] = openAnother();
      await gone?.hub.close();
      await settle();
      for (const link of links) {
        if (link.members.some(({ ended }) => ended !== undefined)) {
          for (const member of link.members) member.ended = undefined;
          reconnect(link);
        }
      }
    }
    await clock.advance(dice.below(dice.oneIn(8) ? 40_000 : 1_500));
    for (const { name, ended } of clients) assert.equal(ended, undefined, `client ${name}`);
  }
  for (let turn = 0; turn < 200; turn += 1) {
    for (const { connection } of links) {
      connection.isFast = true;
      connection.take();
    }
    await clock.advance(300);
  }
  await Promise.all(pending);
  for (const { name, taken, ended } of clients) {
    assert.equal(ended, undefined, `client ${name}`);
    const got = taken.map(({ id }) => id);
    assert.deepEqual(got.toSorted(byText), ids.toSorted(byText), `client ${name}`);
    if (kind !== 'TIMESTAMP') continue;
    const inTime = taken.filter(({ late }) => !late).map(({ timestampUs }) => timestampUs);
    assert.deepEqual(
      inTime,
      inTime.toSorted((a, b) => a - b),
      `client ${name}`,
    );
  }
  for (const { hub } of instances) await hub.close();
  for (const { connection } of links) connection.cut();
  assert.deepEqual([clock.pending], [0], 'timers are left');
}

for (const kind of ['TIMESTAMP', 'SEQUENCE', 'ARRIVAL', 'DEAD LETTERS'] satisfies Kind[]) {
  test(`${kind}: clients that are slow, cut off and share connections get each event once`, async (t) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
      try {
        await live(t, kind, seed);
      } catch (error) {
        throw new Error(`MILLRACE_SEED=${seed}`, { cause: error });
      }
    }
  });
}
