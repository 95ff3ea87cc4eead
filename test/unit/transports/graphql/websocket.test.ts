import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { type GraphQLSchema, GraphQLScalarType } from 'graphql';
import type { Principal } from '../../../../src/auth/principal.ts';
import { createLogger } from '../../../../src/observe/logger.ts';
import { Message } from '../../../../src/hub/message.ts';
import { Subscription } from '../../../../src/hub/subscription.ts';
import { Answers } from '../../../../src/transports/allowance/answers.ts';
import type { GraphqlContext } from '../../../../src/transports/graphql/context.ts';
import { GraphqlEngine } from '../../../../src/transports/graphql/engine.ts';
import { createErrorMask } from '../../../../src/transports/graphql/errors.ts';
import { createGraphqlWebSocket } from '../../../../src/transports/graphql/websocket.ts';
import { nowhere, parcel } from '../../../support/parcels.ts';
import { principalOf } from '../../../support/hub.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';
import { until } from '../../../support/until.ts';
import { socketPair } from '../../../support/websocket.ts';
import { anyAnswers, outgoing } from '../../../support/outgoing.ts';

interface Received {
  readonly id?: string;
  readonly type: string;
  readonly payload?: unknown;
}

interface Setup {
  readonly schema: GraphQLSchema;
  readonly authenticate?: () => Promise<Principal>;
  readonly maxSubscriptions?: number;
  readonly answers?: Answers;
}

/** A client of a schema of the test's own. */
async function connect(
  t: TestContext,
  {
    schema,
    authenticate = async () => principalOf(),
    maxSubscriptions = 100,
    answers = anyAnswers(),
  }: Setup,
) {
  const logger = createLogger({ level: 'silent' });
  const unlimited = Number.POSITIVE_INFINITY;
  const serve = createGraphqlWebSocket({
    engine: new GraphqlEngine({
      schema,
      limits: {
        queryCharacters: unlimited,
        queryTokens: 1_000,
        queryDepth: unlimited,
        queryAliases: unlimited,
        queryDirectives: unlimited,
      },
      introspection: true,
      mask: createErrorMask(logger),
    }),
    authenticate,
    // The schemas of these tests need none.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    contextOf: () => ({}) as GraphqlContext,
    clock: new ManualClock(),
    logger,
    initTimeoutMs: 10_000,
    maxSubscriptions,
    answers,
    ...outgoing(),
  });
  const { socket, stream, client } = await socketPair(t, {}, 'graphql-transport-ws');
  serve(socket, stream);
  const received: Received[] = [];
  client.on('message', (data: Buffer) => received.push(JSON.parse(data.toString())));
  const send = (message: Received): void => client.send(JSON.stringify(message));
  const subscribe = (id: string, query: string): void =>
    send({ id, type: 'subscribe', payload: { query } });
  const receives = (type: string, count = 1): Promise<void> =>
    until(
      `${count} ${type}`,
      () => received.filter((message) => message.type === type).length >= count,
    );
  send({ type: 'connection_init' });
  return { socket, stream, client, received, send, subscribe, receives };
}

const trivial = makeExecutableSchema({ typeDefs: 'type Query { a: Int }' });

test('a principal is not retained for a socket that closed while its login was asked about', async (t) => {
  const principal = principalOf();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Principal>();
  const { socket, client } = await connect(t, {
    schema: trivial,
    authenticate: () => {
      asked.resolve();
      return answer.promise;
    },
  });
  await asked.promise;
  const closed = once(socket, 'close');
  client.terminate();
  await closed;
  answer.resolve(principal);
  await settle();
  assert.equal(principal.retained, 0);
});

test('a query that the client has completed counts until it has ended', async (t) => {
  const running: PromiseWithResolvers<number>[] = [];
  const schema = makeExecutableSchema({
    typeDefs: 'type Query { slow: Int }',
    resolvers: {
      Query: {
        slow: () => {
          const query = Promise.withResolvers<number>();
          running.push(query);
          return query.promise;
        },
      },
    },
  });
  const { received, send, subscribe, receives } = await connect(t, { schema, maxSubscriptions: 2 });
  await receives('connection_ack');
  for (let i = 0; i < 10; i += 1) {
    subscribe('same', '{ slow }');
    send({ id: 'same', type: 'complete' });
  }
  subscribe('last', '{ slow }');
  const refusalOf = (id: string): Received | undefined =>
    received.find((message) => message.type === 'error' && message.id === id);
  await until('the last to be refused', () => refusalOf('last') !== undefined);
  const refusal = refusalOf('last');
  assert.match(JSON.stringify(refusal), /LIMIT_EXCEEDED.*subscriptionsPerConnection/);
  assert.equal(running.length, 2);
  for (const query of running) query.resolve(1);
  await settle();
  subscribe('again', '{ __typename }');
  await receives('next');
});

class Numbered extends Message {
  readonly size = 1;
  readonly number: number;

  constructor(number: number) {
    super(nowhere.position, nowhere.encode);
    this.number = number;
  }
}

function subscriptionOf(onEnd = (): void => undefined): Subscription<Numbered> {
  return new Subscription({ maxQueuedBytes: 1_000, onEnd, onBehind: () => undefined });
}

/** Two messages and the end. */
function two(): Subscription<Numbered> {
  const subscription = subscriptionOf();
  subscription.push(parcel(new Numbered(1), new Numbered(2)));
  subscription.end();
  return subscription;
}

test('subscriptions that have ended, were refused or completed no longer count', async (t) => {
  const schema = makeExecutableSchema({
    typeDefs: 'type Query { a: Int } type Subscription { two: Int, refused: Int, quiet: Int }',
    resolvers: {
      Subscription: {
        two: {
          resolve: ({ number }: Numbered) => number,
          subscribe: two,
        },
        refused: {
          subscribe: () => {
            throw new Error('refused');
          },
        },
        quiet: {
          subscribe: () => subscriptionOf(),
        },
      },
    },
  });
  const { send, subscribe, receives } = await connect(t, { schema, maxSubscriptions: 1 });
  await receives('connection_ack');
  subscribe('1', 'subscription { two }');
  await receives('complete');
  subscribe('2', 'subscription { refused }');
  await receives('error');
  subscribe('3', 'subscription { quiet }');
  await settle();
  send({ id: '3', type: 'complete' });
  subscribe('4', 'subscription { two }');
  await receives('complete', 2);
});

test('a message that cannot be written ends its subscription, and its fault is masked', async (t) => {
  let left = false;
  const source = subscriptionOf(() => {
    left = true;
  });
  const schema = makeExecutableSchema({
    typeDefs: 'scalar Faulty type Query { a: Int } type Subscription { faulty: Faulty }',
    resolvers: {
      Faulty: new GraphQLScalarType({
        name: 'Faulty',
        serialize: () => ({
          toJSON: () => {
            throw new Error('the password is hunter2');
          },
        }),
      }),
      Subscription: {
        faulty: { subscribe: () => source, resolve: (message: unknown) => message },
      },
    },
  });
  const { received, subscribe, receives } = await connect(t, { schema });
  await receives('connection_ack');
  subscribe('1', 'subscription { faulty }');
  await settle();
  source.push(parcel(new Numbered(1)));
  await receives('error');
  const text = JSON.stringify(received.find(({ type }) => type === 'error'));
  assert.match(text, /"code":"INTERNAL"/);
  assert.doesNotMatch(text, /hunter2/);
  assert.ok(left);
});

test('queries under way are bounded for a project over all its connections, and those beyond are refused', async (t) => {
  const running: PromiseWithResolvers<number>[] = [];
  const schema = makeExecutableSchema({
    typeDefs: 'type Query { slow: Int, quick: Int }',
    resolvers: {
      Query: {
        slow: () => {
          const query = Promise.withResolvers<number>();
          running.push(query);
          return query.promise;
        },
        quick: () => 1,
      },
    },
  });
  const answers = new Answers({ maxQueriesPerProject: 2, maxBytesPerProject: 1_000 });
  const [one, other] = [
    await connect(t, { schema, answers }),
    await connect(t, { schema, answers }),
  ];
  await Promise.all([one.receives('connection_ack'), other.receives('connection_ack')]);
  one.subscribe('1', '{ slow }');
  other.subscribe('1', '{ slow }');
  await until('both to run', () => running.length === 2);
  // Gone, but still under way.
  one.send({ id: '1', type: 'complete' });
  other.subscribe('2', '{ quick }');
  await other.receives('next');
  const refusal = other.received.find(({ type }) => type === 'next');
  assert.match(JSON.stringify(refusal), /LIMIT_EXCEEDED.*limits\.queriesPerProject/);
  for (const query of running) query.resolve(1);
  await other.receives('next', 2);
  other.subscribe('3', '{ quick }');
  await other.receives('next', 3);
  assert.deepEqual(other.received.findLast(({ type }) => type === 'next')?.payload, {
    data: { quick: 1 },
  });
});

test('who asks for much that is small and takes nothing is not read any more, until it takes that', async (t) => {
  const { socket, stream, send, receives } = await connect(t, { schema: trivial });
  await receives('connection_ack');
  // As if the system took nothing.
  stream.cork();
  const pings = 1_000;
  for (let sent = 0; sent < pings; sent += 1) send({ type: 'ping' });
  await until('it to be read no more', () => socket.isPaused);
  stream.uncork();
  await receives('pong', pings);
  assert.equal(socket.isPaused, false);
});
