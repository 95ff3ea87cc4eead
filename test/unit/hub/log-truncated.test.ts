import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EventsRequest } from '../../../src/hub/requests.ts';
import { collect, openHub, type TestHub } from '../../support/hub.ts';

/** @returns what comes, once it is accepted; rejects when it is refused */
type Ask = (
  hub: TestHub,
  start: Pick<EventsRequest, 'after'>,
) => Promise<ReturnType<typeof collect>>;

interface Way {
  readonly ask: Ask;
  readonly value: (id: string) => string;
}

/** Each way to read the one partition, and what is recorded for it. */
const ways: Readonly<Record<string, Way>> = {
  'TIMESTAMP order': {
    ask: async ({ events }, start) => collect(await events(start)),
    value: eventText,
  },
  'ARRIVAL order, with copies': {
    ask: async ({ events }, start) =>
      collect(await events({ ...start, order: 'ARRIVAL', deduplicate: false })),
    value: eventText,
  },
  'dead letters': {
    ask: async ({ hub, principal }, start) =>
      collect(await hub.deadLetters(principal, { topic: 'purchases', ...start })),
    value: (id) => id,
  },
};

let lastMs = Date.UTC(2025, 0, 1);

/** Each a millisecond after the one before. */
function eventText(id: string): string {
  lastMs += 1;
  return JSON.stringify({ id, at: new Date(lastMs).toISOString() });
}

/** The last cursor of a client that has read ten records; its instance is then gone. */
async function leave(t: TestContext, { ask, value }: Way) {
  const first = openHub(t, { topics: { purchases: 1, 'purchases-dlq': 1 } });
  const { clock, kafka } = first;
  const record = (...ids: string[]): void => {
    for (const id of ids) kafka.append('purchases', { value: value(id) });
  };
  const accepted = ask(first, {});
  await clock.advance(100);
  const received = await accepted;
  record(...Array.from({ length: 10 }, (_, index) => `r${index}`));
  await clock.advance(5_000);
  const after = received.cursors[9] ?? '';
  await first.hub.close();
  const another = (): TestHub =>
    openHub(t, { topics: {}, options: { clock }, driver: () => kafka.driver() });
  return { clock, kafka, record, after, another };
}

for (const [kind, way] of Object.entries(ways)) {
  test(`${kind}: a log that was cut off and has grown beyond the cursor is found`, async (t) => {
    const { clock, kafka, record, after, another } = await leave(t, way);
    kafka.truncate('purchases', 0, 6);
    record('a', 'b', 'c', 'd', 'e', 'f');
    await clock.advance(60_000);
    const resumed = way.ask(another(), { after });
    resumed.catch(() => undefined);
    await clock.advance(10_000);
    const ended = await resumed.catch((error: unknown) => ({ error, ids: [] }));
    await clock.advance(1_000);
    const { code, details } = Object(ended.error);
    assert.equal(code, 'LOG_TRUNCATED');
    assert.deepEqual(details.ranges, [{ partition: 0, from: 6, to: 10 }]);
    assert.deepEqual(ended.ids, []);
  });

  test(`${kind}: so is one that had been cut off before a server began to read it`, async (t) => {
    const { clock, kafka, record, after, another } = await leave(t, way);
    kafka.truncate('purchases', 0, 6);
    record('a');
    await clock.advance(60_000);
    const next = another();
    const live = way.ask(next, {});
    await clock.advance(1_000);
    const others = await live;
    record('b', 'c', 'd', 'e', 'f');
    await clock.advance(5_000);
    assert.deepEqual(others.ids, ['b', 'c', 'd', 'e', 'f']);
    const resumed = way.ask(next, { after });
    resumed.catch(() => undefined);
    await clock.advance(10_000);
    const ended = await resumed.catch((error: unknown) => ({ error }));
    await clock.advance(1_000);
    const { code } = Object(ended.error);
    assert.equal(code, 'LOG_TRUNCATED');
  });

  test(`${kind}: a change of leaders that loses nothing is none`, async (t) => {
    const { clock, kafka, record, after, another } = await leave(t, way);
    kafka.electLeader('purchases', 0);
    record('a');
    kafka.electLeader('purchases', 0);
    record('b');
    await clock.advance(60_000);
    const next = another();
    const resumed = way.ask(next, { after });
    await clock.advance(5_000);
    const received = await resumed;
    kafka.electLeader('purchases', 0);
    record('c');
    await clock.advance(5_000);
    assert.deepEqual([received.ids, received.error], [['a', 'b', 'c'], undefined]);
  });
}
