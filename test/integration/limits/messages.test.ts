import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Received, subscribers } from '../../support/graphql-client.ts';
import { metricsOf } from '../../support/metrics.ts';
import { feedIs, runEmbedded } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const limit = 'limits.messageBytes';
const login = { projectId: 'acme', key: 'acme-read' } as const;

for (const [transport, subscribe] of Object.entries(subscribers)) {
  test(`${transport}: who selects too much of one message is told so and ends, and nobody else`, async (t) => {
    const { server, kafka } = await runEmbedded(t, {
      topics: ['acme.purchases'],
      settings: { MILLRACE_LIMITS_MESSAGE_BYTES: '64KiB' },
    });
    const { url } = server;
    const of = (selection: string): Received =>
      subscribe(t, {
        url,
        login,
        query: `subscription { events(topic: "purchases", order: ARRIVAL) { ${selection} } }`,
      });
    const modest = of('payload');
    const greedy = of('first: payload second: payload third: payload');
    await feedIs(server, 'acme.purchases', { subscribers: 2 });
    const append = (bytes: number): void => {
      kafka.append('acme.purchases', { value: `"${'x'.repeat(bytes)}"` });
    };
    append(100);
    await Promise.all([greedy.atLeast(1), modest.atLeast(1)]);
    append(30_000);
    append(100);
    await greedy.ended.catch(() => undefined);
    const told = JSON.stringify([await greedy.ended, greedy.results.slice(1)]);
    assert.match(told, /LIMIT_EXCEEDED/);
    assert.match(told, /has 90\d{3} bytes in one message, which may have 65536/);
    assert.ok(told.includes(`"limit":"${limit}"`), told);
    assert.equal((await modest.atLeast(3)).length, 3);
    const hits = (await metricsOf(url)).get(`millrace_limits_hit_total{limit="${limit}"}`);
    assert.equal(hits, 1);
  });
}

for (const [transport, subscribe] of Object.entries(subscribers)) {
  test(`${transport}: what is made of an event for many selections is made in several turns, and each gets its own`, async (t) => {
    const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
    const { url } = server;
    const count = 6;
    const aliases = 4;
    const all = Array.from({ length: count }, (_, client) => {
      const names = Array.from({ length: aliases }, (__, index) => `of${client}_${index}`);
      const query = `subscription { events(topic: "purchases", order: ARRIVAL) { offset ${names.map((name) => `${name}: payload`).join(' ')} } }`;
      return { names, received: subscribe(t, { url, login, query }) };
    });
    await feedIs(server, 'acme.purchases', { subscribers: count });
    const events = 2;
    for (let event = 0; event < events; event += 1) {
      kafka.append('acme.purchases', { partition: 0, value: `"${'x'.repeat(1_000_000)}"` });
    }
    for (const { names, received } of all) {
      const results = await received.atLeast(events);
      const offsets = results.map(({ data }) => Object(data).events.offset);
      assert.deepEqual(offsets, ['0', '1']);
      for (const { data } of results) {
        for (const name of names) assert.equal(Object(data).events[name].length, 1_000_000);
      }
    }
    const moves = async (): Promise<number> =>
      (await metricsOf(url)).get('millrace_slow_moves_total') ?? 0;
    await until('some to have waited for their turn', async () => (await moves()) > 0);
  });
}
