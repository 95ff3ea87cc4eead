import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProjectConfig } from '../../src/config/config.ts';
import { describe, type Received, subscribers } from '../support/graphql-client.ts';
import { feedIs, runEmbedded, testConfig } from '../support/server.ts';
import { makeToken } from '../support/tokens.ts';

const login = { projectId: 'acme', key: 'acme-narrow' };

/** The projects as they are, but for the key: it may read these topics. */
function withTopics(...topics: readonly string[]): ProjectConfig[] {
  return testConfig().auth.projects.map(({ id, keys }) => ({
    id,
    keys: keys.map((key) => (key.name === 'narrow' ? { ...key, topics } : key)),
  }));
}

/** How it ended, whether as an operation or as a connection. */
async function ending(received: Received): Promise<string> {
  const error = await received.ended;
  return describe(error ?? received.results.at(-1)?.errors);
}

for (const [transport, subscribe] of Object.entries(subscribers)) {
  test(`${transport}: a key that may read other topics now keeps what it may read still, and loses the rest`, async (t) => {
    const topics = ['purchases', 'signups', 'visits'];
    const { server, kafka } = await runEmbedded(t, {
      topics: topics.map((name) => `acme.${name}`),
    });
    const { url } = server;
    server.updateProjects(withTopics('signups', 'purchases'));
    const holders = [login, await makeToken(url, login, {})];
    const open = (topic: string): Received[] =>
      holders.map((holder) =>
        subscribe(t, {
          url,
          login: holder,
          query: `subscription { events(topic: "${topic}", order: ARRIVAL) { id } }`,
        }),
      );
    const record = (id: string): void => {
      for (const topic of topics) {
        kafka.append(`acme.${topic}`, { value: JSON.stringify({ keen: { id } }) });
      }
    };
    const [purchases, signups] = [open('purchases'), open('signups')];
    for (const topic of ['purchases', 'signups']) {
      await feedIs(server, `acme.${topic}`, { subscribers: holders.length });
    }

    // One topic more, and in another order: all that there is may be read still.
    server.updateProjects(withTopics('visits', 'purchases', 'signups'));
    const visits = open('visits');
    await feedIs(server, 'acme.visits', { subscribers: holders.length });
    record('first');
    for (const one of [...purchases, ...signups, ...visits]) await one.atLeast(1);

    server.updateProjects(withTopics('visits', 'purchases'));
    for (const one of signups) {
      const told = await ending(one);
      assert.match(told, /FORBIDDEN/);
      assert.match(told, /this key may not read topic signups/);
    }
    record('second');
    for (const one of [...purchases, ...visits]) await one.atLeast(2);
    for (const one of signups) assert.doesNotMatch(JSON.stringify(one.results), /second/);
  });
}
