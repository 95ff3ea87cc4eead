import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Principal } from '../../../src/auth/principal.ts';
import type { PropertyFilter } from '../../../src/decode/property-filter.ts';
import type { Hub } from '../../../src/hub/hub.ts';
import { collect, openHub, principalOf } from '../../support/hub.ts';

const filter: readonly PropertyFilter[] = [{ property: 'pad', operator: 'EQ', value: 'mine' }];
const dead = { code: 'FORBIDDEN', message: /never parsed/ };
const request = { topic: 'purchases', order: 'ARRIVAL', deduplicate: true, where: [] } as const;

interface Scene extends ReturnType<typeof openHub> {
  readonly filtered: Principal;
}

async function scene(t: TestContext): Promise<Scene> {
  const open = openHub(t, { topics: { purchases: 1, 'purchases-dlq': 1, signups: 1 } });
  return { ...open, filtered: { ...principalOf(), filter } };
}

/** Shown to operators, and to no client. */
type OfOperators = 'registry' | 'subscriptions' | 'subscriptionsByProject';

/** What a filter hides, by every method of the hub: a new one does not compile before it is here. */
const methods: Record<Exclude<keyof Hub, OfOperators>, (scene: Scene) => Promise<void>> = {
  async events({ hub, filtered, record, clock }) {
    const live = collect(await hub.events(filtered, request));
    record('theirs', { pad: 'theirs' });
    record('mine', { pad: 'mine' });
    await clock.advance(1_000);
    assert.deepEqual(live.ids, ['mine']);
    const past = collect(await hub.events(filtered, { ...request, sinceMs: 0 }));
    const nothing = collect(
      await hub.events(filtered, {
        ...request,
        sinceMs: 0,
        where: [{ property: 'pad', operator: 'EQ', value: 'theirs' }],
      }),
    );
    await clock.advance(1_000);
    assert.deepEqual([past.ids, nothing.ids], [['mine'], []]);
    await assert.rejects(hub.events(filtered, { ...request, topic: 'purchases-dlq' }), dead);
  },

  async eventBatches({ hub, filtered, record, clock }) {
    const batching = { maxEvents: 10, maxWaitMs: 0 };
    const batches = await hub.eventBatches(filtered, { ...request, batching });
    record('theirs', { pad: 'theirs' });
    record('mine', { pad: 'mine' });
    await clock.advance(1_000);
    const ids: (string | null)[] = [];
    for await (const taken of batches) {
      ids.push(...taken.flatMap(({ events }) => events.map(({ event }) => event.id)));
      break;
    }
    assert.deepEqual(ids, ['mine']);
    await assert.rejects(
      hub.eventBatches(filtered, { ...request, topic: 'purchases-dlq', batching }),
      dead,
    );
  },

  async newestEvents({ hub, filtered, record }) {
    record('theirs', { pad: 'theirs' });
    record('mine', { pad: 'mine' });
    const newest = await hub.newestEvents(filtered, 'purchases', 10, []);
    assert.deepEqual(
      newest.map(({ event }) => event.id),
      ['mine'],
    );
    await assert.rejects(hub.newestEvents(filtered, 'purchases-dlq', 10, []), dead);
  },

  async deadLetters({ hub, filtered, use }) {
    await assert.rejects(hub.deadLetters(filtered, { topic: 'purchases' }), dead);
    await assert.rejects(hub.deadLetters(filtered, { topic: 'purchases', sinceMs: 0 }), dead);
    assert.equal(use.opened, 0);
  },

  async newestDeadLetters({ hub, filtered, use }) {
    await assert.rejects(hub.newestDeadLetters(filtered, 'purchases', 10), dead);
    assert.equal(use.opened, 0);
  },

  async countsOf({ hub, filtered, principal, record, events, clock }) {
    assert.equal(hub.countsOf(filtered, 'purchases'), undefined);
    collect(await events({ order: 'ARRIVAL' }));
    record('theirs', { pad: 'theirs' });
    await clock.advance(1_000);
    assert.equal(hub.countsOf(principal, 'purchases')?.received, 1);
    assert.deepEqual(hub.countsOf(filtered, 'purchases'), {
      state: 'RUNNING',
      subscribers: 0,
      received: 0,
      delivered: 0,
      duplicates: 0,
      late: 0,
      releasedEarly: 0,
      cutIntervals: 0,
      held: 0,
      lag: 0,
    });
  },

  async topics({ hub, filtered }) {
    const names = (await hub.topics(filtered)).map(({ name }) => name);
    assert.deepEqual(names, ['purchases', 'signups']);
  },

  async assertReadable({ hub, filtered, principal }) {
    hub.assertReadable(filtered, 'purchases');
    hub.assertReadable(principal, 'purchases-dlq');
    assert.throws(() => hub.assertReadable(filtered, 'purchases-dlq'), dead);
    // Under any of its names.
    assert.throws(() => hub.assertReadable(filtered, 'any thing-dlq'), dead);
  },

  async topicName() {
    // Two names of what somebody named.
  },

  async deadLetterTopic() {
    // As `topicName`.
  },

  async rightsChanged() {
    // Ends what is there: gives nothing.
  },

  async close() {
    // Gives nothing.
  },
};

for (const [method, check] of Object.entries(methods)) {
  test(`what a filter hides is not given by ${method}`, async (t) => check(await scene(t)));
}
