import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { MillraceError } from '../../../src/core/errors.ts';
import type { EventMessage } from '../../../src/hub/message.ts';
import {
  type KafkaDriver,
  KafkaError,
  type TopicDescription,
  type TopicReader,
} from '../../../src/kafka/port.ts';
import type { Subscription } from '../../../src/hub/subscription.ts';
import { collect, lingerMs, openHub, settled, type TestHub } from '../../support/hub.ts';
import { settle } from '../../support/manual-clock.ts';

/** The first messages of a subscription. */
async function take(
  subscription: Subscription<EventMessage>,
  count: number,
): Promise<EventMessage[]> {
  const messages: EventMessage[] = [];
  for await (const batch of subscription) {
    messages.push(...batch);
    if (messages.length >= count) break;
  }
  return messages;
}

/** Another instance on the log of the first one. */
function another(
  t: TestContext,
  { clock, kafka }: TestHub,
  { historyBytes = 1, maxCatchUpReadersPerProject = 2 } = {},
) {
  return openHub(t, {
    topics: {},
    options: { clock, historyBytes, maxCatchUpReadersPerProject },
    driver: () => kafka.driver(),
  });
}

/** Cursors of the events `0` to `count - 1` of partition 0, in `ARRIVAL` order. */
async function cursorsOf({ clock, events, record }: TestHub, count: number): Promise<string[]> {
  const accepted = events({ order: 'ARRIVAL' });
  await clock.advance(100);
  const all = take(await accepted, count);
  for (let id = 0; id < count; id += 1) record(String(id));
  await clock.advance(1_000);
  return (await all).map(({ cursor }) => cursor);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof MillraceError ? error.code : undefined;
}

test('a topic that is deleted ends those who catch up and those who wait for a reader', async (t) => {
  const first = openHub(t, { topics: { purchases: 1 } });
  const cursors = await cursorsOf(first, 5);
  const { events, use } = another(t, first, { maxCatchUpReadersPerProject: 1 });
  const { clock, kafka } = first;
  // Nothing of it can be read, so all wait for the one reader, or for their turn.
  const live = events({ order: 'ARRIVAL' });
  await clock.advance(100);
  const ended = [collect(await live)];
  kafka.setPartitionAvailable('purchases', 0, false);
  const accepted = cursors.map((after) => events({ order: 'ARRIVAL', after }));
  await clock.advance(3_000);
  for (const each of accepted) ended.push(collect(await each));
  assert.ok(ended.every((each) => !each.ended));
  kafka.deleteTopic('purchases');
  await clock.advance(60_000);
  assert.deepEqual(
    ended.map(({ error }) => codeOf(error)),
    ended.map(() => 'TOPIC_NOT_FOUND'),
  );
  await clock.advance(lingerMs * 2);
  assert.deepEqual([use.openReaders.size, use.openClients], [0, 0]);
});

test('a cursor that has expired is refused by itself: those who came with it go on', async (t) => {
  const first = openHub(t, { topics: { purchases: 1 } });
  const cursors = await cursorsOf(first, 60);
  const { clock, kafka } = first;
  kafka.deleteRecords('purchases', 0, 20);
  const { events, use } = another(t, first, { historyBytes: 2 ** 20 });
  const accepted = cursors.map((after) => events({ order: 'ARRIVAL', after }));
  const outcomes = Promise.allSettled(accepted);
  await clock.advance(5_000);
  const refused: number[] = [];
  const taken = new Map<number, ReturnType<typeof collect>>();
  for (const [at, outcome] of (await outcomes).entries()) {
    if (outcome.status === 'fulfilled') taken.set(at, collect(outcome.value));
    else if (codeOf(outcome.reason) === 'CURSOR_EXPIRED') refused.push(at);
  }
  await clock.advance(1_000);
  for (const [at, { ids }] of taken) {
    const following = Array.from({ length: 59 - at }, (_, index) => String(at + 1 + index));
    assert.deepEqual(ids, following, `after ${at}`);
  }
  // Of those after whom something is gone.
  assert.deepEqual(refused, [...Array(19).keys()]);
  assert.ok(use.opened < 10, `${use.opened} readers`);
});

test('who finds no place for a reader waits for its turn; who leaves meanwhile leaves nothing', async (t) => {
  const first = openHub(t, { topics: { purchases: 1 } });
  const { clock, kafka, record } = first;
  const [after = ''] = await cursorsOf(first, 2);
  kafka.createTopic('hogged', 1);
  for (let i = 0; i < 2_000; i += 1) kafka.append('hogged', { value: 'dead' });
  await clock.advance(1);
  const { events, use, principal } = another(t, first, { maxCatchUpReadersPerProject: 1 });
  // Whoever takes nothing keeps the one reader, until somebody has waited for it for a while.
  const more = another(t, first, { maxCatchUpReadersPerProject: 1 });
  const hog = more.hub.deadLetters(more.principal, { topic: 'hogged', sinceMs: 0 });
  await clock.advance(2_500);
  const hogging = await hog;
  const waiting = more.events({ order: 'ARRIVAL', after });
  const leaving = more.events({ order: 'ARRIVAL', after });
  record('2');
  await clock.advance(2_500);
  const taken = collect(await waiting);
  await (await leaving).return();
  await clock.advance(2_500);
  assert.deepEqual([taken.ids, taken.ended], [['1', '2'], false]);
  await hogging.return();
  // With nobody there, nothing is left.
  const once = events({ order: 'ARRIVAL', after });
  await clock.advance(1_000);
  await (await once).return();
  await clock.advance(lingerMs * 2);
  assert.deepEqual([use.openReaders.size, use.openClients, principal.retained], [0, 0, 0]);
});

test('one that stands still keeps its reader from nobody who waits for one, and goes on exactly when it takes again', async (t) => {
  const options = { maxCatchUpReadersPerProject: 1, historyBytes: 1, maxQueuedBytes: 1_000 };
  const { clock, kafka, events, use, record } = openHub(t, {
    topics: { purchases: 1, signups: 1 },
    options,
  });
  const ids = Array.from({ length: 2_000 }, (_, index) => String(index));
  for (const id of ids) record(id);
  record('other', { topic: 'signups' });
  await clock.advance(1);
  const asked = events({ order: 'ARRIVAL', sinceMs: 0 });
  await clock.advance(2_500);
  const still = await asked;
  // It has the one reader, and takes nothing of what it was given.
  const waiting = events({ order: 'ARRIVAL', sinceMs: 0, topic: 'signups' });
  await clock.advance(5_000);
  const served = collect(await waiting);
  await clock.advance(1_000);
  assert.deepEqual(served.ids, ['other']);
  const taken = collect(still);
  await clock.advance(10_000);
  assert.deepEqual(taken.ids, ids);
  assert.ok(use.opened < 10, `${use.opened} readers`);
  // With nobody waiting it is left alone.
  const opened = use.opened;
  kafka.append('purchases', { value: '{"id":"new"}' });
  await clock.advance(10_000);
  assert.equal(use.opened, opened);
});

test('a partition without records does not keep a reader from knowing the ids of the window', async (t) => {
  const first = openHub(t, { topics: { purchases: 2 } });
  const { clock, kafka, record, events } = first;
  for (const id of ['old', 'older']) record(id, { partition: 1 });
  await clock.advance(10);
  const accepted = events({ order: 'ARRIVAL' });
  await clock.advance(100);
  const got = take(await accepted, 2);
  for (const id of ['a', 'b']) record(id, { partition: 0 });
  await clock.advance(1_000);
  const after = (await got).at(-1)?.cursor;
  // Retention has passed all of partition 1: the cursor is where it begins.
  kafka.deleteRecords('purchases', 1, 2);
  for (const id of ['a', 'c']) record(id, { partition: 1 });
  const resumed = another(t, first).events({ order: 'ARRIVAL', ...(after && { after }) });
  await clock.advance(2_000);
  const taken = collect(await resumed);
  await settle();
  assert.deepEqual(taken.ids, ['c']);
});

test('a stream in another order that is asked for while ids are read delivers nothing of the past', async (t) => {
  const readers: TopicReader[] = [];
  const { clock, record, events } = openHub(t, {
    topics: { purchases: 2 },
    driver: (driver) => withReaders(driver, readers),
  });
  for (let id = 0; id < 20; id += 1) record(`past ${id}`, { partition: id % 2 });
  await clock.advance(60_000);
  const first = events({ order: 'ARRIVAL' });
  await clock.advance(2_500);
  const inArrival = collect(await first);
  // The ids of partition 0 are known, those of partition 1 are not.
  const second = events({ order: 'TIMESTAMP' });
  await clock.advance(2_500);
  const inTime = collect(await second);
  record('new', { partition: 0 });
  await clock.advance(1_000);
  for (const reader of readers) reader.resume([1]);
  await clock.advance(5_000);
  for (const id of ['past 3', 'new', 'past 4']) record(id, { partition: 1 });
  await clock.advance(20_000);
  assert.deepEqual(inArrival.ids, ['new']);
  assert.deepEqual(inTime.ids, ['new']);
});

/** Puts the readers that are opened into a list; partition 1 is not read before it is resumed. */
function withReaders(driver: KafkaDriver, readers: TopicReader[]): KafkaDriver {
  return {
    name: driver.name,
    connect(sasl) {
      const client = driver.connect(sasl);
      const openReader = client.openReader.bind(client);
      client.openReader = (options) => {
        const reader = openReader(options);
        reader.pause([1]);
        readers.push(reader);
        return reader;
      };
      return client;
    },
  };
}

test('a cursor of a topic that was created again meanwhile reads nothing of the new one', async (t) => {
  const first = openHub(t, { topics: { purchases: 1 } });
  const { clock, kafka, record } = first;
  const [after = ''] = await cursorsOf(first, 3);
  const { events } = another(t, first);
  const live = collect(await settled(events({ order: 'ARRIVAL' })));
  await clock.advance(100);
  kafka.deleteTopic('purchases');
  kafka.createTopic('purchases', 1);
  for (let id = 0; id < 9; id += 1) record(`other ${id}`);
  await clock.advance(30_000);
  assert.equal(codeOf(live.error), 'TOPIC_RECREATED');
  const refused = events({ order: 'ARRIVAL', after });
  refused.catch(() => undefined);
  await clock.advance(5_000);
  await assert.rejects(refused, { code: 'TOPIC_RECREATED' });
});

type Description = TopicDescription | KafkaError;

/** A driver that describes topics in another way. */
function describing(driver: KafkaDriver, as: (description: Description) => Description) {
  const other: KafkaDriver = {
    name: driver.name,
    connect(sasl) {
      const client = driver.connect(sasl);
      const describe = client.describeTopics.bind(client);
      client.describeTopics = async (topics) => {
        const described = await describe(topics);
        return new Map(Array.from(described, ([name, description]) => [name, as(description)]));
      };
      return client;
    },
  };
  return other;
}

function withoutId(description: Description): Description {
  return description instanceof KafkaError ? description : { ...description, topicId: null };
}

test('a topic that has partitions no more is another one, also where the cluster tells no ids', async (t) => {
  const first = openHub(t, {
    topics: { purchases: 2 },
    driver: (embedded) => describing(embedded, withoutId),
  });
  const { clock, kafka, record } = first;
  const accepted = first.events({ order: 'ARRIVAL' });
  await clock.advance(100);
  const received = collect(await accepted);
  for (const partition of [0, 1]) record(String(partition), { partition });
  await clock.advance(1_000);
  const after = received.cursors[1] ?? '';
  await first.hub.close();
  kafka.deleteTopic('purchases');
  kafka.createTopic('purchases', 1);
  for (let id = 0; id < 9; id += 1) record(`other ${id}`);
  const { events } = openHub(t, {
    topics: {},
    options: { clock, historyBytes: 1 },
    driver: () => describing(kafka.driver(), withoutId),
  });
  const refused = events({ order: 'ARRIVAL', after });
  refused.catch(() => undefined);
  await clock.advance(5_000);
  await assert.rejects(refused, { code: 'TOPIC_RECREATED' });
});

test('a topic whose id cannot be told at first has it in its cursors all the same', async (t) => {
  let asked = 0;
  const driver = (embedded: KafkaDriver): KafkaDriver =>
    describing(embedded, (description) => {
      asked += 1;
      return asked === 1 ? new KafkaError('UNAVAILABLE', 'no leader yet') : description;
    });
  const first = openHub(t, { topics: { purchases: 1 }, driver });
  const { clock, kafka, record } = first;
  const [after = ''] = await cursorsOf(first, 3);
  await first.hub.close();
  kafka.deleteTopic('purchases');
  kafka.createTopic('purchases', 1);
  for (let id = 0; id < 9; id += 1) record(`other ${id}`);
  const refused = another(t, first).events({ order: 'ARRIVAL', after });
  refused.catch(() => undefined);
  await clock.advance(5_000);
  await assert.rejects(refused, { code: 'TOPIC_RECREATED' });
});

test('a cursor behind which the log was cut off is refused, also beside others that are not', async (t) => {
  const first = openHub(t, { topics: { purchases: 1 } });
  const { clock, kafka } = first;
  const cursors = await cursorsOf(first, 10);
  kafka.truncate('purchases', 0, 6);
  const { events } = another(t, first);
  const accepted = [3, 8, 9].map((at) => {
    const after = cursors[at];
    assert.ok(after);
    return events({ order: 'ARRIVAL', after });
  });
  const outcomes = Promise.allSettled(accepted);
  await clock.advance(1_900);
  const found = (await outcomes).map((outcome) =>
    outcome.status === 'fulfilled' ? 'goes on' : [codeOf(outcome.reason), outcome.reason.details],
  );
  assert.deepEqual(found, [
    'goes on',
    ['LOG_TRUNCATED', { ranges: [{ partition: 0, from: 6, to: 9 }] }],
    ['LOG_TRUNCATED', { ranges: [{ partition: 0, from: 6, to: 10 }] }],
  ]);
});
