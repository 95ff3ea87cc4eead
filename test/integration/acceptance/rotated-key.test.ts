import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { describe, type Login, type Received, subscribers } from '../../support/graphql-client.ts';
import { RunningTime } from '../../support/running-time.ts';
import { feedIs, runServer, testConfig } from '../../support/server.ts';
import { countLogins } from './count-logins.ts';

const clients = 100;
const revokedWithinMs = 5_000;

test("a project's key is rotated in the cluster: its clients end within 5 s, their coming back is no login storm, others go on", async (t) => {
  const kafka = new EmbeddedKafka({
    clock: systemClock,
    users: [user('acme', 'old'), user('globex', 'kept')],
  });
  for (const topic of ['acme.purchases', 'globex.purchases']) kafka.createTopic(topic, 1);
  const counted = countLogins(kafka.driver());
  const settings = { MILLRACE_KAFKA_CREDENTIALS: 'client', MILLRACE_AUTH_PROJECTS: '[]' };
  const server = await runServer(t, testConfig(settings), { driver: counted.driver });
  const subscribe = (login: Login): Received =>
    subscribers['graphql-ws'](t, {
      url: server.url,
      login,
      query: 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }',
    });
  const old = { projectId: 'acme', key: 'old' };
  const all = Array.from({ length: clients }, () => subscribe(old));
  const other = subscribe({ projectId: 'globex', key: 'kept' });
  await feedIs(server, 'acme.purchases', { subscribers: clients });
  await feedIs(server, 'globex.purchases');

  const loginsBefore = counted.logins;
  const rotated = new RunningTime();
  kafka.users.replace([user('acme', 'new'), user('globex', 'kept')]);
  for (const one of all) await one.ended;
  const endedAfterMs = rotated.ms;
  assert.ok(endedAfterMs < revokedWithinMs, `ended after ${endedAfterMs} ms`);
  for (const [topic, id] of [
    ['acme.purchases', 'not for the old key'],
    ['globex.purchases', 'for the other project'],
  ] as const) {
    kafka.append(topic, { value: JSON.stringify({ keen: { id } }) });
  }
  await other.atLeast(1);

  // They know no better than to come again with what they have.
  for (let round = 0; round < 3; round += 1) {
    const ends = await Promise.all(all.map(() => subscribe(old).ended));
    for (const end of ends) assert.match(describe(end), /4403/);
  }
  const logins = counted.logins - loginsBefore;
  t.diagnostic(`${logins} logins for ${3 * clients} that were refused`);
  assert.ok(logins < clients / 4, `${logins} logins`);
  const anew = subscribe({ projectId: 'acme', key: 'new' });
  await feedIs(server, 'acme.purchases');
  kafka.append('acme.purchases', { value: '{"keen":{"id":"for the new key"}}' });
  await anew.atLeast(1);
  assert.ok(all.every(({ results }) => results.every(({ data }) => !data)));
});

/** Reads the topics of the project of that name. */
function user(username: string, password: string) {
  return { username, password, mayRead: (topic: string) => topic.startsWith(`${username}.`) };
}
