import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { SignJWT } from 'jose';
import type { GraphQLObjectType } from 'graphql';
import type { Config } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import {
  type FilterOperator,
  parseFilter,
  type PropertyFilter,
} from '../../src/decode/property-filter.ts';
import { compileFilter } from '../../src/hub/filter.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import type { RunningServer } from '../../src/server.ts';
import { createSchema } from '../../src/transports/graphql/schema.ts';
import {
  describe,
  type GraphqlResult,
  type Login,
  query,
  type Received,
  subscribers,
  type TokenLogin,
} from '../support/graphql-client.ts';
import { openProducer, sharedCluster } from '../support/kafka.ts';
import { digestOf, feedIs, runServer, testConfig, testProjects } from '../support/server.ts';
import { makeToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';
import { projectTopic, runOnKafka } from './acceptance/real-server.ts';

/*
 * Whoever holds a key or a token gets no more than its topics and its filter, on every path. The paths are
 * the fields of the schema, over each transport: one that is added fails the first test until it is here.
 */

const mine = { property: 'owner', operator: 'EQ', value: 'me' } as const;

/** What was recorded to `purchases`; `m...` pass the filter. */
const records = [
  { id: 'm1', owner: 'me', secret: 'of mine' },
  { id: 't1', owner: 'them', secret: 'SECRET' },
  { id: 't2', secret: 'SECRET' },
  { id: 't3', owner: ['me'], secret: 'SECRET' },
  { id: 'm2', owner: 'me', secret: 'of mine' },
  { id: 't4', owner: { me: 'me' }, secret: 'SECRET' },
];

type Holder = Login | TokenLogin;

interface Scene {
  readonly server: RunningServer;
  readonly kafka: EmbeddedKafka;
  readonly url: string;
}

const enforced = { projectId: 'acme', key: 'acme-enforced' };
const backendSecret = 'what the backend signs its tokens with';

function sceneConfig(): Config {
  const [acme, globex] = testProjects;
  const key = {
    name: 'enforced',
    kind: 'access',
    sha256: digestOf(enforced.key),
    permitted: ['queries'],
    filters: [{ property_name: 'owner', operator: 'eq', property_value: 'me' }],
  };
  const keys = [...(acme?.keys ?? []).filter(({ name }) => name !== 'filtered'), key];
  const others = (globex?.keys ?? []).filter(({ name }) => name !== 'filtered');
  const config = testConfig({
    MILLRACE_AUTH_PROJECTS: JSON.stringify([
      { id: 'acme', keys },
      { id: 'globex', keys: others },
    ]),
    MILLRACE_AUTH_ACCESS_KEY_FILTERS: 'enforce',
  });
  const backend = { kind: 'secret', secret: backendSecret } as const;
  return {
    ...config,
    tokens: {
      ...config.tokens,
      trusted: [{ project: 'acme', issuer: null, audience: null, key: backend }],
    },
  };
}

/** A server before a log with what may be seen and what may not. */
async function openScene(t: TestContext): Promise<Scene> {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  for (const topic of ['purchases', 'purchases-dlq', 'signups']) {
    kafka.createTopic(`acme.${topic}`, 1);
    kafka.createTopic(`globex.${topic}`, 1);
  }
  const server = await runServer(t, sceneConfig(), { driver: kafka.driver() });
  record(kafka);
  return { server, kafka, url: server.url };
}

function record(kafka: EmbeddedKafka, prefix = ''): void {
  for (const { id, ...payload } of records) {
    const keen = { id: `${prefix}${id}` };
    kafka.append('acme.purchases', { value: JSON.stringify({ keen, ...payload }) });
  }
  const secret = '{"SECRET":';
  kafka.append('acme.purchases', { value: secret });
  const letter = { event: secret, error: 'SECRET' };
  kafka.append('acme.purchases-dlq', { value: JSON.stringify({ ...letter, owner: 'me' }) });
  kafka.append('acme.signups', { value: '{"keen":{"id":"s1"},"secret":"SECRET"}' });
  kafka.append('globex.purchases', {
    value: '{"keen":{"id":"g1"},"secret":"SECRET","owner":"me"}',
  });
}

/** Who may see the events of `purchases` that are `mine`, and nothing else. */
const holders: Readonly<Record<string, (scene: Scene) => Promise<Holder>>> = {
  'a token with a filter': async ({ url }) =>
    makeToken(
      url,
      { projectId: 'acme', key: 'acme-master' },
      { topics: ['purchases'], filter: [mine] },
    ),
  'a token of a key with a filter': async ({ url }) =>
    makeToken(url, enforced, { topics: ['purchases'] }),
  'a token that the backend signed': async () => ({
    token: await new SignJWT({ topics: ['purchases'], filter: [mine] })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('5m')
      .sign(Buffer.from(backendSecret)),
  }),
};

/** What may be seen of the events by a holder, in their order. */
const seen = records.filter(({ owner }) => owner === 'me').map(({ id }) => id);
const selection = 'id payload secret: value(property: "secret") late offset';

interface Path {
  /** Fields of the schema that it goes through. */
  readonly fields: readonly string[];
  readonly check: (t: TestContext, scene: Scene, holder: Holder) => Promise<void>;
}

const paths: Readonly<Record<string, Path>> = {
  'events, live and from the past': {
    fields: ['Subscription.events'],
    async check(t, scene, holder) {
      await eachTransport(async (subscribe) => {
        const live = subscribe(t, {
          url: scene.url,
          login: holder,
          query: `subscription { events(topic: "purchases", deduplicate: false, order: ARRIVAL) { ${selection} } }`,
        });
        await feedIs(scene.server, 'acme.purchases');
        const past = subscribe(t, {
          url: scene.url,
          login: holder,
          query: `subscription { events(topic: "purchases", since: "2000-01-01T00:00:00Z") { ${selection} } }`,
        });
        await past.atLeast(seen.length);
        record(scene.kafka);
        assert.deepEqual(idsOf(await live.atLeast(seen.length), 'events'), seen);
        // Those of one millisecond may come in any order.
        assert.deepEqual(new Set(idsOf(past.results, 'events')), new Set(seen));
        nothingSecret(past, live);
        await left(scene.server, 'acme.purchases', past, live);
      });
    },
  },

  'events after a cursor, out of the log and out of what is remembered': {
    fields: ['Subscription.events', 'Subscription.eventBatches'],
    async check(t, scene, holder) {
      const { url, server, kafka } = scene;
      const { body } = await query(
        url,
        { projectId: 'acme', key: 'acme-master' },
        '{ recentEvents(topic: "purchases", last: 1) { cursor } }',
      );
      const [first] = recordsIn(body, 'recentEvents');
      const after = `topic: "purchases", after: "${String(Object(first).cursor)}"`;
      record(kafka, 'again ');
      const again = seen.map((id) => `again ${id}`);
      await eachTransport(async (subscribe) => {
        const open = (field: string) =>
          subscribe(t, { url, login: holder, query: `subscription { ${field} }` });
        const fromLog = open(`events(${after}) { ${selection} cursor }`);
        assert.deepEqual(
          new Set(idsOf(await fromLog.atLeast(again.length), 'events')),
          new Set(again),
        );
        const remembered = open(`events(${after}) { ${selection} cursor }`);
        const batches = open(
          `eventBatches(${after}, maxEvents: 2) { events { ${selection} } cursor }`,
        );
        await remembered.atLeast(again.length);
        await batches.atLeast(1);
        await left(server, 'acme.purchases', fromLog, remembered, batches);
        assert.deepEqual(new Set(idsOf(remembered.results, 'events')), new Set(again));
        nothingSecret(fromLog, remembered, batches);
      });
    },
  },

  'events that are asked for outside of the filter': {
    fields: ['Subscription.events', 'Query.recentEvents'],
    async check(_t, { url }, holder) {
      for (const where of [
        '[{ property: "owner", operator: NE, value: "me" }]',
        '[{ property: "owner", operator: EXISTS, value: false }]',
        '[{ property: "owner", value: "them" }]',
      ]) {
        const { body } = await query(
          url,
          holder,
          `{ recentEvents(topic: "purchases", where: ${where}) { ${selection} } }`,
        );
        assert.deepEqual(body.data, { recentEvents: [] });
      }
    },
  },

  'batches of events': {
    fields: ['Subscription.eventBatches'],
    async check(t, { url, server, kafka }, holder) {
      await eachTransport(async (subscribe) => {
        const batches = subscribe(t, {
          url,
          login: holder,
          query: `subscription { eventBatches(topic: "purchases", deduplicate: false, order: ARRIVAL, maxEvents: 2, maxWaitMs: 60000) { events { ${selection} } watermark } }`,
        });
        await feedIs(server, 'acme.purchases');
        record(kafka);
        const [result] = await batches.atLeast(1);
        assert.match(JSON.stringify(result), /m1.*m2/);
        nothingSecret(batches);
        await left(server, 'acme.purchases', batches);
      });
    },
  },

  'events of which some are left out': {
    fields: ['Subscription.events', 'Subscription.eventBatches'],
    async check(t, { url, server, kafka }, holder) {
      await eachTransport(async (subscribe) => {
        for (const mode of ['LATEST', 'SAMPLE']) {
          const asked = `topic: "purchases", deduplicate: false, order: ARRIVAL, delivery: { mode: ${mode}, everyMs: 50 }`;
          const single = subscribe(t, {
            url,
            login: holder,
            query: `subscription { events(${asked}) { ${selection} omitted } }`,
          });
          const batches = subscribe(t, {
            url,
            login: holder,
            query: `subscription { eventBatches(${asked}, maxWaitMs: 0) { events { ${selection} omitted } } }`,
          });
          await feedIs(server, 'acme.purchases', { subscribers: 2 });
          record(kafka);
          record(kafka);
          // What is hidden is neither delivered nor counted.
          const own = 2 * seen.length;
          assert.equal(await accounted(single, own), own);
          assert.equal(await accounted(batches, own), own);
          nothingSecret(single, batches);
          await left(server, 'acme.purchases', single, batches);
        }
      });
    },
  },

  'recent events': {
    fields: ['Query.recentEvents'],
    async check(_t, { url }, holder) {
      const { body } = await query(
        url,
        holder,
        `{ recentEvents(topic: "purchases") { ${selection} } }`,
      );
      assert.deepEqual(idsOf([body], 'recentEvents'), seen);
      nothingSecret(body);
    },
  },

  'dead letters': {
    fields: ['Subscription.deadLetters', 'Query.recentDeadLetters'],
    async check(t, { url }, holder) {
      const recent = await query(
        url,
        holder,
        '{ recentDeadLetters(topic: "purchases") { event error } }',
      );
      isForbidden(recent.body.errors);
      nothingSecret(recent);
      await eachTransport(async (subscribe) => {
        for (const argument of ['', ', since: "2000-01-01T00:00:00Z"']) {
          const letters = subscribe(t, {
            url,
            login: holder,
            query: `subscription { deadLetters(topic: "purchases"${argument}) { event error } }`,
          });
          assert.match(describe([await letters.ended, letters.results]), /FORBIDDEN/);
          nothingSecret(letters);
        }
      });
    },
  },

  'dead letters as if they were events of another topic, topics of the project, topics of others': {
    fields: ['Subscription.events', 'Subscription.deadLetters', 'Query.recentEvents'],
    async check(t, { url }, holder) {
      for (const topic of ['purchases-dlq', 'signups', 'acme.signups', 'globex.purchases']) {
        const { body } = await query(
          url,
          holder,
          `{ recentEvents(topic: "${topic}") { payload } }`,
        );
        assert.ok(body.errors?.length === 1, topic);
        nothingSecret(body);
        await eachTransport(async (subscribe) => {
          for (const field of [
            `events(topic: "${topic}") { id }`,
            `deadLetters(topic: "${topic}") { event }`,
          ]) {
            const received = subscribe(t, {
              url,
              login: holder,
              query: `subscription { ${field} }`,
            });
            const ended = describe([await received.ended, received.results]);
            assert.match(ended, /FORBIDDEN|TOPIC_NOT_FOUND/);
            assert.doesNotMatch(ended, /SECRET/);
          }
        });
      }
    },
  },

  'names, offsets and counts': {
    fields: ['Query.topics', 'Query.topic', 'Query.project'],
    async check(t, { url, server, kafka }, holder) {
      const other = subscribers['graphql-ws'](t, {
        url,
        login: { projectId: 'acme', key: 'acme-master' },
        query: 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }',
      });
      await feedIs(server, 'acme.purchases');
      record(kafka, 'again ');
      await other.atLeast(records.length);
      const about = `name kafkaTopic partitions { id earliestOffset latestOffset }
        feed { state subscribers received delivered duplicates late held lag }
        deadLetters { name partitions { latestOffset } }`;
      const { body } = await query(
        url,
        holder,
        `{ topics { ${about} } topic(name: "purchases") { ${about} } }`,
      );
      const counts = { subscribers: 0, received: '0', delivered: '0', duplicates: '0' };
      const purchases = {
        name: 'purchases',
        kafkaTopic: 'acme.purchases',
        partitions: [],
        feed: { state: 'RUNNING', ...counts, late: '0', held: 0, lag: '0' },
        deadLetters: null,
      };
      const visible = holder === enforced ? ['purchases', 'signups'] : ['purchases'];
      assert.deepEqual(namesIn(body), visible);
      assert.deepEqual(body.data?.['topic'], purchases);
      if (holder !== enforced) {
        for (const name of ['signups', 'purchases-dlq']) {
          const refused = await query(url, holder, `{ topic(name: "${name}") { ${about} } }`);
          isForbidden(refused.body.errors);
        }
      }
      other.stop();
    },
  },
};

test('every field of the schema that answers something is on one of the paths', () => {
  const schema = createSchema();
  const roots = [schema.getQueryType(), schema.getSubscriptionType()];
  const fields = roots.flatMap((type) => fieldsOf(type));
  const covered = new Set(Object.values(paths).flatMap((path) => path.fields));
  assert.deepEqual([...covered].toSorted(), fields.toSorted());
  // What the names of topics lead to, and what an event is made of.
  for (const [type, known] of [
    ['Topic', 'deadLetters feed kafkaTopic name partitions'],
    ['FeedStatus', 'delivered duplicates held lag late received state subscribers'],
    ['Partition', 'earliestOffset id latestOffset'],
    ['EventBatch', 'cursor events watermark'],
  ] as const) {
    assert.equal(
      Object.keys(Object(schema.getType(type)).getFields())
        .toSorted()
        .join(' '),
      known,
    );
  }
});

function fieldsOf(type: GraphQLObjectType | null | undefined): string[] {
  assert.ok(type);
  return Object.keys(type.getFields()).map((field) => `${type.name}.${field}`);
}

for (const [who, holderOf] of Object.entries(holders)) {
  for (const [what, { check }] of Object.entries(paths)) {
    test(`${who} gets no more than is its own: ${what}`, async (t) => {
      const scene = await openScene(t);
      await check(t, scene, await holderOf(scene));
    });
  }
}

test('an access key whose filters are enforced sees what they let pass, of all topics', async (t) => {
  const scene = await openScene(t);
  for (const what of [
    'recent events',
    'batches of events',
    'events of which some are left out',
    'dead letters',
    'names, offsets and counts',
  ]) {
    await paths[what]?.check(t, scene, enforced);
  }
  const { body } = await query(
    scene.url,
    enforced,
    '{ recentEvents(topic: "signups") { payload } }',
  );
  assert.deepEqual(body.data, { recentEvents: [] });
});

test('a token for some topics gets the events of these, and their dead letters', async (t) => {
  const { url } = await openScene(t);
  const key = { projectId: 'acme', key: 'acme-master' };
  const holder = await makeToken(url, key, { topics: ['signups'] });
  const { body } = await query(
    url,
    holder,
    `{ topics { name } signups: recentEvents(topic: "signups") { id }
       letters: recentDeadLetters(topic: "signups") { event } }`,
  );
  assert.deepEqual(body.data, {
    topics: [{ name: 'signups' }],
    signups: [{ id: 's1' }],
    letters: [],
  });
  for (const field of ['recentEvents', 'recentDeadLetters']) {
    for (const topic of ['purchases', 'purchases-dlq', 'signups-dlq']) {
      const { body } = await query(url, holder, `{ ${field}(topic: "${topic}") { topic } }`);
      isForbidden(body.errors);
    }
  }
});

const scalars = fc.constantFrom<unknown>(null, true, 0, 1, 7, '', 'a', 'ab', '7');
const values = fc.oneof(scalars, fc.array(scalars, { maxLength: 2 }), fc.constant({ b: 7 }));
const properties = fc.constantFrom('a', 'b', 'a.b', 'a.0', 'c');
const payloads = fc.dictionary(fc.constantFrom('a', 'b', 'c'), values, { maxKeys: 3 });
const conditions = fc.oneof(
  fc.record({ property: properties, operator: operators('EQ', 'NE', 'CONTAINS'), value: values }),
  fc.record({
    property: properties,
    operator: operators('GT', 'GTE', 'LT', 'LTE'),
    value: fc.constantFrom<unknown>(0, 1, 7, 'a'),
  }),
  fc.record({
    property: properties,
    operator: operators('IN'),
    value: fc.array(scalars, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ property: properties, operator: operators('EXISTS'), value: fc.boolean() }),
  fc.record({
    property: properties,
    operator: operators('STARTS_WITH'),
    value: fc.constantFrom('', 'a'),
  }),
);
const filters = fc.array(conditions, { maxLength: 3 });

function operators(...names: readonly FilterOperator[]): fc.Arbitrary<FilterOperator> {
  return fc.constantFrom(...names);
}

/** What of the payloads a holder may see that asks with `where`, by their places. */
function expected(
  all: readonly unknown[],
  filter: readonly PropertyFilter[],
  where: readonly PropertyFilter[],
): string[] {
  return all.flatMap((payload, index) =>
    compileFilter(filter)(payload) && compileFilter(where)(payload) ? [String(index)] : [],
  );
}

test('whatever the filters of a token and of its bearer are, what both let pass is what comes', async (t) => {
  const scene = await openScene(t);
  const { kafka, server, url } = scene;
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      filters,
      filters,
      fc.array(payloads, { minLength: 1, maxLength: 30 }),
      fc.constantFrom(...Object.values(subscribers)),
      async (filter, asked, all, subscribe) => {
        run += 1;
        const topic = `run-${run}`;
        const kafkaTopic = `acme.${topic}`;
        kafka.createTopic(kafkaTopic, 1);
        const key = { projectId: 'acme', key: 'acme-master' };
        const login = await makeToken(url, key, { topics: [topic], filter });
        const where = parseFilter(asked);
        const ids = expected(all, parseFilter(filter), where);
        const live = subscribe(t, {
          url,
          login,
          variables: { where: asked },
          query: `subscription($where: [PropertyFilter!]) { events(topic: "${topic}", order: ARRIVAL, where: $where) { id } }`,
        });
        const witness = subscribe(t, {
          url,
          login: key,
          query: `subscription { events(topic: "${topic}", order: ARRIVAL) { id } }`,
        });
        await feedIs(server, kafkaTopic, { subscribers: 2 });
        for (const [index, payload] of all.entries()) {
          kafka.append(kafkaTopic, {
            value: JSON.stringify({ ...payload, keen: { id: String(index) } }),
          });
        }
        const recent = await query(
          url,
          login,
          `query($where: [PropertyFilter!]) { recentEvents(topic: "${topic}", where: $where) { id } }`,
          { where: asked },
        );
        assert.deepEqual(idsOf([recent.body], 'recentEvents'), ids);
        // Who sees all has seen the last one: by then everybody got what was his.
        await witness.atLeast(all.length);
        await live.atLeast(ids.length);
        await left(server, kafkaTopic, live, witness);
        assert.deepEqual(idsOf(live.results, 'events'), ids);
        kafka.deleteTopic(kafkaTopic);
      },
    ),
    { numRuns: 40 },
  );
});

/** Stops subscriptions; resolves when the server has noticed that nobody is left. */
async function left(
  { hub }: RunningServer,
  kafkaTopic: string,
  ...received: readonly Received[]
): Promise<void> {
  for (const subscription of received) subscription.stop();
  await until('everybody has left', () =>
    [...hub.registry.feeds()].every(
      (feed) => feed.kafkaTopic !== kafkaTopic || feed.subscribers === 0,
    ),
  );
}

test('on a real Kafka a token with a filter gets its own, and nothing of another project', async (t) => {
  const kafka = await sharedCluster();
  const { name, kafkaTopic } = await projectTopic(t, kafka, 'leaks', { partitions: 3 });
  const server = await runOnKafka(t, kafka, 'kafkajs');
  const { url } = server;
  const filter = [mine];
  const acme = await makeToken(
    url,
    { projectId: 'acme', key: 'acme-read' },
    { topics: [name], filter },
  );
  const globex = await makeToken(
    url,
    { projectId: 'globex', key: 'globex-read' },
    { topics: [name] },
  );
  const subscription = {
    query: 'subscription($topic: String!) { events(topic: $topic, order: ARRIVAL) { id payload } }',
    variables: { topic: name },
  };
  const live = subscribers['graphql-ws'](t, { url, login: acme, ...subscription });
  const foreign = subscribers['graphql-sse'](t, { url, login: globex, ...subscription });
  assert.match(describe([await foreign.ended, foreign.results]), /TOPIC_NOT_FOUND/);
  await feedIs(server, kafkaTopic);
  const producer = await openProducer(t, kafka);
  await producer.send(
    kafkaTopic,
    records.map(({ id, ...payload }) => ({
      partition: 1,
      value: JSON.stringify({ keen: { id }, ...payload }),
    })),
  );
  assert.deepEqual(idsOf(await live.atLeast(seen.length), 'events'), seen);
  const recent = await query(
    url,
    acme,
    'query($topic: String!) { recentEvents(topic: $topic) { id payload } }',
    { topic: name },
  );
  assert.deepEqual(idsOf([recent.body], 'recentEvents'), seen);
  nothingSecret(live, recent);
});

/** Runs it over every way to subscribe. */
async function eachTransport(
  run: (subscribe: (typeof subscribers)['graphql-ws']) => Promise<void>,
): Promise<void> {
  for (const subscribe of Object.values(subscribers)) await run(subscribe);
}

/** Resolves when so many events were delivered or counted; answers how many they were then. */
async function accounted(received: Received, events: number): Promise<number> {
  for (let results = 1; ; results += 1) {
    await received.atLeast(results);
    const taken = received.results.flatMap(({ data, errors }): unknown[] => {
      assert.equal(errors, undefined);
      const { events, eventBatches } = Object(data);
      return events === undefined ? eventBatches.events : [events];
    });
    const sum = taken.reduce<number>((sum, event) => sum + Number(Object(event).omitted) + 1, 0);
    if (sum >= events) return sum;
  }
}

/** The ids of events in results, be it one or a list in each. */
function idsOf(results: readonly GraphqlResult[], field: string): unknown[] {
  return results.flatMap((result) => recordsIn(result, field).map((event) => Object(event).id));
}

function recordsIn(result: GraphqlResult, field: string): readonly unknown[] {
  const value: unknown = result.data?.[field];
  assert.ok(typeof value === 'object' && value !== null, JSON.stringify(result));
  return Array.isArray(value) ? value : [value];
}

function namesIn({ data }: GraphqlResult): unknown[] {
  const topics: unknown = data?.['topics'];
  assert.ok(Array.isArray(topics));
  return topics.map(({ name }) => name);
}

function nothingSecret(...answers: readonly (Received | object)[]): void {
  for (const answer of answers) assert.doesNotMatch(JSON.stringify(answer), /SECRET/);
}

function isForbidden(errors: GraphqlResult['errors']): void {
  assert.deepEqual(
    errors?.map(({ extensions }) => extensions?.['code']),
    ['FORBIDDEN'],
  );
}
