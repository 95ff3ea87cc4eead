import assert from 'node:assert/strict';
import { feedIs } from '../../support/server.ts';
import { makeToken } from '../../support/tokens.ts';
import { eventRecord } from './records.ts';
import { assertEnding } from './refusals.ts';
import { reader, type Scenario } from './stage.ts';
import type { Request } from './transport.ts';

const filter = [{ property: 'owner', operator: 'EQ', value: 'me' }];

/** Those of mine and those of others, which hold the word SECRET. */
function recordsOf(round: string) {
  return [
    eventRecord({ id: `theirs ${round}`, more: { owner: 'them', what: 'SECRET' } }),
    eventRecord({ id: `mine ${round}`, more: { owner: 'me' } }),
    eventRecord({ id: `nobody's ${round}`, more: { what: 'SECRET' } }),
  ];
}

export const tokenScenarios: readonly Scenario[] = [
  {
    title:
      'a token brings what its filter lets pass, live, from the past and after a cursor, whatever is asked for',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const { url } = stage.server;
      const token = await makeToken(url, reader, { topics: [topic.name], filter });
      const subscribe = (
        more: Request['arguments'] = {},
        login: typeof reader | typeof token = token,
      ) => transport.subscribe(t, url, login, events(topic.name, { order: 'ARRIVAL', ...more }));
      await stage.record(topic, recordsOf('before'));
      const witness = subscribe({}, reader);
      const live = subscribe();
      const others = subscribe({ where: [{ property: 'owner', operator: 'NE', value: 'me' }] });
      await feedIs(stage.server, topic.kafkaTopic, { subscribers: 3 });
      await stage.record(topic, recordsOf('after'));
      // Who sees all has seen the last one: by then the others got what was theirs.
      await witness.atLeast(3);
      const [mine] = await live.atLeast(1);
      assert.equal(mine?.['id'], 'mine after');
      const past = subscribe({ since: '2000-01-01T00:00:00Z' });
      await past.atLeast(2);
      assert.deepEqual(
        past.items.map(({ id }) => id),
        ['mine before', 'mine after'],
      );
      const resumed = subscribe({ after: past.items[0]?.['cursor'] });
      assert.equal((await resumed.atLeast(1))[0]?.['id'], 'mine after');
      assert.deepEqual([live.items.length, others.items.length, resumed.items.length], [1, 0, 1]);
      const all = [live, past, others, resumed].map(({ items }) => items);
      assert.doesNotMatch(JSON.stringify(all), /SECRET/);
    },
  },
  {
    title: 'a token with a filter brings no dead letters, under no name',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const deadLetters = await stage.createDeadLetterTopic(topic);
      const value = '{"event":"SECRET","error":"SECRET","owner":"me"}';
      await stage.record(deadLetters, [{ partition: 0, value }]);
      const token = await makeToken(stage.server.url, reader, { filter });
      for (const request of [
        { ...events(topic.name), holds: 'deadLetters' },
        { ...events(deadLetters.name), holds: 'deadLetters' },
        events(deadLetters.name, { since: '2000-01-01T00:00:00Z' }),
      ] as const) {
        const received = transport.subscribe(t, stage.server.url, token, request);
        const ending = await received.ended;
        assertEnding(ending, 'FORBIDDEN');
        assert.match(ending.message, /never parsed/);
        assert.deepEqual(received.items, []);
      }
    },
  },
  {
    title: 'a token for some topics is refused others',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const token = await makeToken(stage.server.url, reader, { topics: ['signups'] });
      for (const holds of ['events', 'deadLetters'] as const) {
        const request = { ...events(topic.name), holds };
        const ending = await transport.subscribe(t, stage.server.url, token, request).ended;
        assertEnding(ending, 'FORBIDDEN');
        assert.match(ending.message, /^this token may not read topic/);
      }
    },
  },
  {
    title: 'a token that expires ends its subscription, and lets nobody in any more',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const { url } = stage.server;
      const { token, subscriptions } = await stage.clock.during(async () => {
        const token = await makeToken(url, reader, { expiresIn: '1s' });
        const subscribe = (given: Request['arguments']) =>
          transport.subscribe(t, url, token, events(topic.name, given));
        const first = subscribe({ order: 'ARRIVAL' });
        await feedIs(stage.server, topic.kafkaTopic);
        return { token, subscriptions: [first, subscribe({})] };
      });
      for (const subscription of subscriptions) {
        const ending = await subscription.ended;
        assertEnding(ending, 'UNAUTHENTICATED');
        assert.equal(ending.message, 'this token has expired');
      }
      const again = await transport.subscribe(t, url, token, events(topic.name)).ended;
      assertEnding(again, 'UNAUTHENTICATED');
    },
  },
  {
    title: 'a token for a single use lets in once',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const { url } = stage.server;
      const token = await makeToken(url, reader, { singleUse: true });
      const first = transport.subscribe(t, url, token, events(topic.name, { order: 'ARRIVAL' }));
      await feedIs(stage.server, topic.kafkaTopic);
      const ending = await transport.subscribe(t, url, token, events(topic.name)).ended;
      assertEnding(ending, 'UNAUTHENTICATED');
      assert.match(ending.message, /single use/);
      await stage.record(topic, [eventRecord({ id: 'after' })]);
      assert.equal((await first.atLeast(1))[0]?.['id'], 'after');
    },
  },
];

function events(topic: string, given: Request['arguments'] = {}): Request {
  return { holds: 'events', topic, arguments: given };
}
