/**
 * What one builds from the usual parts, as their documents show it: graphql-yoga with its pub/sub,
 * graphql-ws on the `ws` package, and a consumer group of kafkajs that publishes each message. The one
 * favour: the idle timers of kafkajs are stopped (see `stopIdleTimers`), or it would look worse.
 *
 *     node naive.ts BROKERS TOPIC
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga, filter, pipe } from 'graphql-yoga';
import type { ExecutionArgs, execute, subscribe } from 'graphql';
import kafkajs from 'kafkajs';
import { WebSocketServer } from 'ws';
import { stopIdleTimers } from '../../../src/kafka/kafkajs/timer-patch.ts';
import { listen } from './listen.ts';

interface NaiveEvent {
  readonly keen: { readonly id: string; readonly timestamp: string };
}

interface Where {
  readonly property: string;
  readonly operator: 'EQ';
  readonly value: unknown;
}

const [brokers = '', topic = ''] = process.argv.slice(2);
const pubSub = createPubSub<{ events: [event: NaiveEvent] }>();

const schema = createSchema({
  typeDefs: /* GraphQL */ `
    scalar JSON
    enum EventOrder { ARRIVAL }
    enum FilterOperator { EQ }
    input PropertyFilter { property: String!  operator: FilterOperator! = EQ  value: JSON }
    type Event { id: ID  timestamp: String!  payload: JSON!  value(property: String!): JSON }
    type Query { ok: Boolean! }
    type Subscription {
      events(topic: String!, order: EventOrder, where: [PropertyFilter!]): Event!
    }
  `,
  resolvers: {
    Query: { ok: () => true },
    Event: {
      id: ({ keen }: NaiveEvent) => keen.id,
      timestamp: ({ keen }: NaiveEvent) => keen.timestamp,
      payload: (event: NaiveEvent) => event,
      value: (event: NaiveEvent, { property }: { property: string }) => propertyOf(event, property),
    },
    Subscription: {
      events: {
        subscribe: (_root: unknown, { where = [] }: { where?: readonly Where[] }) =>
          pipe(
            pubSub.subscribe('events'),
            filter((event) =>
              where.every(({ property, value }) => propertyOf(event, property) === value),
            ),
          ),
        resolve: (event: NaiveEvent) => event,
      },
    },
  },
});

function propertyOf(event: unknown, path: string): unknown {
  let value = event;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = new Map<string, unknown>(Object.entries(value)).get(key);
  }
  return value;
}

/** What yoga's plugins make of `execute` and `subscribe`, on its way through graphql-ws. */
class Enveloped {
  readonly execute: (args: ExecutionArgs) => ReturnType<typeof execute>;
  readonly subscribe: (args: ExecutionArgs) => ReturnType<typeof subscribe>;

  constructor(of: Pick<Enveloped, 'execute' | 'subscribe'>) {
    this.execute = of.execute;
    this.subscribe = of.subscribe;
  }

  static of({ rootValue }: ExecutionArgs): Enveloped {
    if (!(rootValue instanceof Enveloped)) throw new Error('an operation without its envelope');
    return rootValue;
  }
}

const yoga = createYoga({ schema, logging: false });
const server = createServer((request, response) => void yoga(request, response));
useServer(
  {
    execute: (args) => Enveloped.of(args).execute(args),
    subscribe: (args) => Enveloped.of(args).subscribe(args),
    onSubscribe: async ({ extra }, _id, params) => {
      const enveloped = yoga.getEnveloped({ req: extra.request, socket: extra.socket, params });
      const document = enveloped.parse(params.query);
      const errors = enveloped.validate(enveloped.schema, document);
      if (errors.length > 0) return errors;
      return {
        schema: enveloped.schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: await enveloped.contextFactory(),
        rootValue: new Enveloped(enveloped),
      };
    },
  },
  new WebSocketServer({ server, path: yoga.graphqlEndpoint }),
);

stopIdleTimers();
const kafka = new kafkajs.Kafka({
  brokers: brokers.split(','),
  logLevel: kafkajs.logLevel.NOTHING,
});
const consumer = kafka.consumer({ groupId: `naive-${randomUUID()}` });
await consumer.connect();
await consumer.subscribe({ topic });
const joined = once(consumerEvents(), 'joined');
await consumer.run({
  eachMessage: async ({ message }) => {
    const event: NaiveEvent = JSON.parse(message.value?.toString() ?? 'null');
    pubSub.publish('events', event);
  },
});
await joined;
await listen(server);

function consumerEvents(): EventTarget {
  const events = new EventTarget();
  consumer.on(consumer.events.GROUP_JOIN, () => events.dispatchEvent(new Event('joined')));
  return events;
}
