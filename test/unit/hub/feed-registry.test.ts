import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../../../src/core/errors.ts';
import { collect, lingerMs, openHub, principalOf, settled } from '../../support/hub.ts';
import { settle } from '../../support/manual-clock.ts';

test('one feed serves all subscribers of a login and a topic', async (t) => {
  const { hub, use, events } = openHub(t);
  await Promise.all(Array.from({ length: 50 }, () => events()));
  await events({ order: 'ARRIVAL' });
  await settle();
  assert.deepEqual([use.connected, use.opened], [1, 1]);
  const [feed, ...others] = hub.registry.feeds();
  assert.deepEqual(others, []);
  assert.equal(feed?.subscribers, 51);
});

test('another login or another topic gets a feed of its own', async (t) => {
  const { use, events } = openHub(t, { topics: { purchases: 1, signups: 1 } });
  await events();
  await events({ topic: 'signups' });
  await events({}, principalOf('globex'));
  assert.deepEqual([use.connected, use.opened], [2, 3]);
});

test('a feed goes on for a while after the last subscriber, then its reader and its client are closed', async (t) => {
  const { clock, use, events } = openHub(t);
  const [a, b] = await Promise.all([events(), events()]);
  await a.return();
  await clock.advance(lingerMs * 2);
  assert.equal(use.openReaders.size, 1);
  await b.return();
  await clock.advance(lingerMs - 1);
  assert.equal(use.openReaders.size, 1);
  await clock.advance(1);
  assert.equal(use.openReaders.size, 0);
  assert.equal(use.openClients, 1);
  await clock.advance(lingerMs);
  assert.equal(use.openClients, 0);
  assert.equal(clock.pending, 0);
});

test('who comes back in time finds the feed running; who comes later gets a new one', async (t) => {
  const { clock, use, record, events } = openHub(t);
  await (await events()).return();
  await clock.advance(lingerMs - 1);
  const again = await events();
  await clock.advance(lingerMs * 2);
  assert.equal(use.opened, 1);
  await again.return();
  await clock.advance(lingerMs * 2);
  assert.deepEqual([use.openReaders.size, use.openClients], [0, 0]);
  record('while nobody listened');
  await clock.advance(1);
  const received = collect(await events());
  record('after');
  await clock.advance(3_000);
  assert.deepEqual(received.ids, ['after']);
  assert.deepEqual([use.opened, use.connected], [2, 2]);
});

test('a feed that failed is replaced for the next subscriber, and leaves nothing open', async (t) => {
  const { clock, kafka, use, events } = openHub(t);
  const lost = collect(await events());
  await clock.advance(500);
  kafka.deleteTopic('purchases');
  await clock.advance(10_000);
  assert.ok(lost.error instanceof MillraceError);
  assert.equal(lost.error.code, 'TOPIC_NOT_FOUND');
  assert.equal(use.openReaders.size, 0);
  kafka.createTopic('purchases', 1);
  await events();
  assert.equal(use.openReaders.size, 1);
});

for (const recreated of ['purchases', 'purchases-dlq']) {
  test(`who reads ${recreated} when it is deleted and created again is told so`, async (t) => {
    const { clock, kafka, hub, principal } = openHub(t, {
      topics: { purchases: 1, 'purchases-dlq': 1 },
    });
    const ended = collect(await hub.deadLetters(principal, { topic: 'purchases' }));
    await clock.advance(500);
    kafka.deleteTopic(recreated);
    kafka.createTopic(recreated, 1);
    await clock.advance(1_000);
    assert.ok(ended.error instanceof MillraceError);
    assert.equal(ended.error.code, 'TOPIC_RECREATED');
    const again = collect(await hub.deadLetters(principal, { topic: 'purchases' }));
    kafka.append(recreated, { value: '{"event' });
    await clock.advance(1_000);
    assert.deepEqual([again.ids, again.error], [['{"event'], undefined]);
  });
}

test('what fails before it is accepted leaves nothing open', async (t) => {
  const { clock, hub, use, principal, events } = openHub(t);
  const refused = async (code: string, attempt: () => Promise<unknown>): Promise<void> => {
    await assert.rejects(attempt(), { code });
    await clock.advance(lingerMs * 2);
    assert.deepEqual([use.openReaders.size, use.openClients, clock.pending], [0, 0, 0], code);
    assert.equal(principal.retained, 0);
    assert.deepEqual([...hub.registry.feeds()], []);
  };
  await refused('TOPIC_NOT_FOUND', () => events({ topic: 'nothing' }));
  await refused('TOPIC_NOT_FOUND', () => events({ topic: 'nothing', sinceMs: 0 }));
  await refused('TOPIC_NOT_FOUND', () =>
    hub.deadLetters(principal, { topic: 'nothing', sinceMs: 0 }),
  );
  await refused('BAD_USER_INPUT', () => events({ topic: 'x'.repeat(300) }));
  await refused('FORBIDDEN', () => events({}, principalOf('acme', ['signups'])));
  const revoked = principalOf();
  revoked.revoke();
  await refused('UNAUTHENTICATED', () => events({}, revoked));
  await refused('UNAUTHENTICATED', () => events({ sinceMs: 0 }, revoked));
  await refused('UNAUTHENTICATED', () => hub.deadLetters(revoked, { topic: 'purchases' }));
  // Nobody waits for the refusal of the topic then, which must not be taken for an unhandled one.
  await refused('UNAUTHENTICATED', () => hub.deadLetters(revoked, { topic: 'nothing' }));
});

test('dead letters of topics that are made up keep no feeds, however many are asked for', async (t) => {
  const { clock, hub, principal } = openHub(t);
  for (let index = 0; index < 20; index += 1) {
    const topic = `made up ${index}`;
    await assert.rejects(hub.deadLetters(principal, { topic }), { code: 'TOPIC_NOT_FOUND' });
    await assert.rejects(hub.deadLetters(principal, { topic, sinceMs: 0 }), {
      code: 'TOPIC_NOT_FOUND',
    });
  }
  await settle();
  assert.deepEqual(
    [...hub.registry.feeds()].map(({ kafkaTopic }) => kafkaTopic),
    [],
  );
  // One that is there, but for its dead-letter topic, is read on for who comes back.
  const subscription = await hub.deadLetters(principal, { topic: 'purchases' });
  await subscription.return();
  assert.equal([...hub.registry.feeds()].length, 2);
  await clock.advance(lingerMs);
  assert.equal([...hub.registry.feeds()].length, 0);
});

test('a stream that cannot be made leaves nothing open', async (t) => {
  const { clock, use, principal, events } = openHub(t, { settings: { maxDedupBytes: 1 } });
  await assert.rejects(events(), RangeError);
  assert.equal(principal.retained, 0);
  await clock.advance(lingerMs * 2);
  assert.deepEqual([use.openReaders.size, use.openClients, clock.pending], [0, 0, 0]);
});

test('readers of the past are bounded for each project: who finds none free waits for one', async (t) => {
  const topics = { purchases: 1, 'purchases-dlq': 1, signups: 1, 'signups-dlq': 1 };
  const options = { maxCatchUpReadersPerProject: 1, maxQueuedBytes: 1_000 };
  const { clock, kafka, hub, principal, use } = openHub(t, { topics, options });
  for (const topic of Object.keys(topics)) {
    const value = topic.endsWith('-dlq') ? '{"event":"{","error":"bad"}' : '{';
    for (let i = 0; i < 1_000; i += 1) kafka.append(topic, { value });
  }
  await clock.advance(1);
  const ask = (topic: string, by = principal) => hub.deadLetters(by, { topic, sinceMs: 0 });
  // It takes nothing, and so keeps its reader for a while; of dead letters that is one that reads two topics.
  const first = ask('purchases');
  await clock.advance(100);
  const hog = await first;
  assert.equal(use.openReaders.size, 4);
  const [second, other] = [ask('signups'), ask('signups', principalOf('globex'))];
  await clock.advance(1_500);
  // Four topics are live now; beside the hog's the other project has a reader, and the same project none.
  assert.equal(use.openReaders.size, 6 + 2 + 2);
  await clock.advance(3_500);
  const [waiting, served] = (await Promise.all([second, other])).map(collect);
  await clock.advance(5_000);
  assert.deepEqual([served?.ids.length, waiting?.ids.length], [2_000, 2_000]);
  const late = collect(hog);
  await clock.advance(5_000);
  assert.equal(late.ids.length, 2_000);
});

test('topics that are read are bounded for each project: what nobody listens to makes room', async (t) => {
  const topics = { a: 1, b: 1, c: 1, d: 1 };
  const { clock, hub, events } = openHub(t, {
    topics,
    options: { maxTopicsPerProject: 2, topicsAreOwn: true },
  });
  const open = (): string[] => [...hub.registry.feeds()].map(({ kafkaTopic }) => kafkaTopic);
  const [a, b] = [await events({ topic: 'a' }), await events({ topic: 'b' })];
  await assert.rejects(events({ topic: 'c' }), {
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'limits.topicsPerProject' },
  });
  // A second subscriber needs no room, and another project has its own.
  await events({ topic: 'a', order: 'ARRIVAL' });
  await events({ topic: 'a' }, principalOf('globex'));
  await b.return();
  await clock.advance(1);
  await events({ topic: 'c' });
  assert.deepEqual(open(), ['a', 'a', 'c']);
  await a.return();
  await assert.rejects(events({ topic: 'd' }), { code: 'LIMIT_EXCEEDED' });
});

test('those who ask for the past of one stream share a reader, and leave it for the live stream', async (t) => {
  const { clock, use, record, events } = openHub(t, { topics: { purchases: 1 } });
  for (const id of ['a', 'b', 'c']) record(id);
  await clock.advance(10);
  const accepted = Promise.all(
    Array.from({ length: 5 }, () => events({ sinceMs: 0, order: 'ARRIVAL' })),
  );
  await clock.advance(100);
  const received = (await accepted).map(collect);
  await clock.advance(1_000);
  assert.equal(use.openReaders.size, 1);
  record('d');
  await clock.advance(1_000);
  for (const { ids } of received) assert.deepEqual(ids, ['a', 'b', 'c', 'd']);
  // One reads what is live; another one read for all five.
  assert.ok(use.opened <= 3, `${use.opened} readers were opened`);
});

test('a subscriber that leaves while it waits to be accepted leaves nothing open', async (t) => {
  const { clock, kafka, use, principal, events } = openHub(t);
  kafka.setAvailable(false);
  const accepted = events();
  await clock.advance(2_000);
  await (await settled(accepted)).return();
  assert.equal(principal.retained, 0);
  await clock.advance(lingerMs * 2);
  assert.deepEqual([use.openReaders.size, use.openClients, clock.pending], [0, 0, 0]);
});

test('after it was closed the hub opens nothing', async (t) => {
  const { clock, hub, use, events } = openHub(t);
  const received = collect(await events());
  await hub.close();
  await settle();
  assert.ok(received.ended);
  assert.equal(received.error, undefined);
  await assert.rejects(events(), { code: 'KAFKA_UNAVAILABLE' });
  await assert.rejects(events({ sinceMs: 0 }), { code: 'KAFKA_UNAVAILABLE' });
  assert.deepEqual([use.openReaders.size, use.openClients, clock.pending], [0, 0, 0]);
});

test('a dead-letter topic that is read as events too has a feed for each', async (t) => {
  const { clock, kafka, hub, principal, events } = openHub(t, {
    topics: { purchases: 1, 'purchases-dlq': 1 },
  });
  const asEvents = collect(await events({ topic: 'purchases-dlq', order: 'ARRIVAL' }));
  const deadLetters = collect(await hub.deadLetters(principal, { topic: 'purchases' }));
  kafka.append('purchases-dlq', { value: '{"id":"x","event":"{","error":"bad"}' });
  await clock.advance(1_000);
  assert.deepEqual(asEvents.ids, ['x']);
  assert.deepEqual(deadLetters.ids, ['{']);
});

test('what a feed had done is seen for a while after it failed, and not beside a new one', async (t) => {
  const { clock, hub, kafka, principal, record, events } = openHub(t, { topics: { purchases: 1 } });
  const state = () => hub.countsOf(principal, 'purchases')?.state;
  const fail = async () => {
    collect(await events({ order: 'ARRIVAL' }));
    record('a');
    await clock.advance(1_000);
    kafka.deleteTopic('purchases');
    await clock.advance(10_000);
    assert.equal(state(), 'FAILED');
  };
  await fail();
  assert.equal(hub.countsOf(principal, 'purchases')?.delivered, 1);
  kafka.createTopic('purchases', 1);
  await fail();
  await clock.advance(lingerMs);
  assert.equal(state(), undefined);
  await assert.rejects(events(), { code: 'TOPIC_NOT_FOUND' });
  assert.equal(state(), undefined, 'it had never begun');
  kafka.createTopic('purchases', 1);
  await fail();
  kafka.createTopic('purchases', 1);
  await events();
  assert.notEqual(state(), 'FAILED');
});
