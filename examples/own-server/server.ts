/**
 * Millrace's subscriptions in a GraphQL server of one's own, beside what that serves already: yoga with two schemas
 * merged. Here on a log inside the process; with `kafka.client: kafkajs` it reads yours.
 *
 *   npm exec -- node examples/own-server/server.ts
 *   curl -N -u acme:a-key http://127.0.0.1:4100/graphql -H 'accept: text/event-stream' \
 *     -H 'content-type: application/json' -d '{"query":"subscription { events(topic: \"purchases\") { payload } }"}'
 *
 * In your own project, import from 'millrace' and 'graphql-yoga'.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { makeExecutableSchema, mergeSchemas } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import {
  EmbeddedKafka,
  loadConfig,
  type MillraceContext,
  openSchema,
  systemClock,
} from '../../src/index.ts';

const sha256 = createHash('sha256').update('a-key').digest('hex');
const { config, problems } = loadConfig({
  env: {
    MILLRACE_KAFKA_CLIENT: 'embedded',
    MILLRACE_KAFKA_CREDENTIALS: 'service',
    MILLRACE_AUTH_PROJECTS: JSON.stringify([{ id: 'acme', keys: [{ kind: 'read', sha256 }] }]),
    ...process.env,
  },
});
if (config === null) throw new Error(JSON.stringify(problems));

const kafka = new EmbeddedKafka({ clock: systemClock });
kafka.createTopic('purchases', 1);
const millrace = await openSchema(config, { driver: kafka.driver() });

/** What the server is there for otherwise. */
const shop = makeExecutableSchema({
  typeDefs: 'type Query { shopName: String! }',
  resolvers: { Query: { shopName: () => 'The Mill Shop' } },
});

const yoga = createYoga<object, MillraceContext>({
  schema: mergeSchemas({ schemas: [shop, millrace.schema] }),
  plugins: [millrace.plugin],
  // Or by what you know of who asks: millrace.contextFor({ projectId, key }).
  context: ({ request }) => millrace.contextOf(request),
});
const server = createServer((request, response) => void yoga(request, response));
server.listen(Number(process.env['PORT'] ?? 4_100), '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object')
    console.log(`GraphQL at http://127.0.0.1:${address?.port}/graphql`);
});

setInterval(() => {
  const amount = Math.round(Math.random() * 10_000) / 100;
  kafka.append('purchases', { value: JSON.stringify({ amount, at: new Date().toISOString() }) });
}, 500);
