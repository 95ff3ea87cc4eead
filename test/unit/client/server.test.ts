import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AfterLoss, createClient, type Event, type Loss } from '../../../src/client/index.ts';
import { feedIs, runEmbedded } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { memoryStorage } from './scripted-server.ts';

const login = { projectId: 'acme', key: 'acme-read' };

test('who comes back when the log has forgotten is told what, and goes on where it wants to', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  const record = (...ids: readonly string[]): void => {
    for (const id of ids) {
      const value = JSON.stringify({ keen: { id } });
      kafka.append('acme.purchases', { partition: 0, value });
    }
  };
  const storage = memoryStorage();
  const losses: Loss[] = [];
  const open = (goOn: AfterLoss) => {
    const client = createClient({ url: server.url, backoff: { firstMs: 1 }, ...login });
    t.after(() => client.close());
    const ids: unknown[] = [];
    const feed = client.events('purchases', {
      order: 'ARRIVAL',
      since: new Date(0),
      storage,
      onLoss(loss) {
        losses.push(loss);
        return goOn;
      },
    });
    feed.subscribe({ next: ({ id }) => ids.push(id), error: () => undefined });
    return { client, feed, ids };
  };
  record('a', 'b', 'c', 'd');
  const first = open('stop');
  await until('the first four', () => first.ids.length === 4);
  first.client.close();
  const stored = [...storage.kept.entries()];
  record('e', 'f', 'g');
  kafka.deleteRecords('acme.purchases', 0, 6);

  const earliest = open('earliest');
  await until('the last', () => earliest.ids.length === 1);
  assert.deepEqual(earliest.ids, ['g']);
  earliest.client.close();

  for (const [key, cursor] of stored) storage.setItem(key, cursor);
  const now = open('now');
  await until('live', () => losses.length === 2 && now.feed.state.name === 'live');
  record('h');
  await until('the next', () => now.ids.length === 1);
  assert.deepEqual(now.ids, ['h']);
  now.client.close();

  for (const [key, cursor] of stored) storage.setItem(key, cursor);
  const stop = open('stop');
  await until('the end', () => stop.feed.state.name === 'closed');
  for (const { code, ranges } of losses) {
    assert.equal(code, 'CURSOR_EXPIRED');
    assert.deepEqual(ranges, [{ partition: 0, from: 4, to: 6 }]);
  }
  assert.equal(losses.length, 3);
});

test('a screen gets what it asks for, and is told what is left out', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  const client = createClient({ url: server.url, ...login });
  t.after(() => client.close());
  const got: Event<{ n: number }>[] = [];
  const feed = client.events<{ n: number }>('purchases', {
    order: 'ARRIVAL',
    delivery: { mode: 'LATEST', by: 'user', everyMs: 50 },
  });
  feed.subscribe((event) => got.push(event));
  await feedIs(server, 'acme.purchases');
  const count = 40;
  for (let n = 1; n <= count; n += 1) {
    kafka.append('acme.purchases', { partition: 0, value: JSON.stringify({ user: n % 2, n }) });
  }
  const all = (): number => got.reduce((sum, { omitted }) => sum + omitted + 1, 0);
  await until('all to be accounted for', () => all() === count);
  assert.ok(got.length < count);
  assert.deepEqual(
    got.slice(-2).map(({ payload }) => payload.n),
    [count - 1, count],
  );
});
