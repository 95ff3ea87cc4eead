import { z } from 'zod';
import { pathProblem } from '../decode/path.ts';
import { topicName, topicTemplateProblem } from '../decode/topic-name.ts';
import { unknownName } from './nearest.ts';
import {
  bytes,
  duration,
  entry,
  file,
  flag,
  integer,
  listOf,
  oneOf,
  optional,
  section,
  type Setting,
  type Settings,
  setting,
  structure,
  switchable,
  text,
  textLike,
  type ValuesOf,
} from './setting.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const KiB = 1_024;
const MiB = 1_024 * KiB;
const GiB = 1_024 * MiB;

/** Most connections where the configuration says nothing of them. */
export const usualConnections = 20_000;

const broker = textLike('`host:port`', (value) => {
  const port = /^\S+:(\d+)$/.exec(value)?.[1];
  if (port === undefined) return 'expected host:port, such as 127.0.0.1:9092';
  return Number(port) >= 1 && Number(port) <= 65_535
    ? undefined
    : 'expected a port from 1 to 65535 behind the colon';
});
const origin = textLike('origin', (value) =>
  URL.canParse(value) && new URL(value).origin === value
    ? undefined
    : 'expected an exact origin, such as https://app.example.com (no path, no default port)',
);
const dottedPath = textLike('dotted path', pathProblem);

/** What analytics services list as permitted; reading here takes `queries`. */
const operations = ['queries', 'writes', 'saved_queries', 'cached_queries', 'datasets', 'schema'];
const operation = textLike('operation', (value) =>
  operations.includes(value) ? undefined : unknownName(value, operations, 'operation'),
);

const projectsSchema = z
  .array(
    entry({
      id: text.schema,
      keys: z
        .array(
          entry({
            name: text.schema.nullable().default(null),
            kind: z.enum(['master', 'read', 'write', 'access'], {
              error: 'expected one of master, read, write, access',
            }),
            sha256: z
              .string({ error: 'expected the output of `millrace hash-key`' })
              .regex(
                /^[0-9a-f]{64}$/,
                'expected 64 lower-case hex digits, the output of `millrace hash-key`',
              ),
            topics: z
              .array(text.schema, { error: 'expected a list of topics' })
              .readonly()
              .nullable()
              .default(null),
            permitted: z
              .array(operation.schema, { error: 'expected a list, such as [queries]' })
              .readonly()
              .default([]),
            active: z.boolean({ error: 'expected true or false' }).default(true),
            filters: z.array(z.unknown(), { error: 'expected a list' }).readonly().default([]),
          }).readonly(),
          { error: 'expected a list of keys' },
        )
        .readonly()
        .nullable()
        .default([])
        .transform((keys) => keys ?? []),
    }).readonly(),
    { error: 'expected a list of projects' },
  )
  .readonly();

/** A project and the keys that it may log in with (`kafka.credentials: service`), as they are written. */
export type WrittenProject = z.output<typeof projectsSchema>[number];

/** `topics: null`: every topic of the project. `permitted` and `filters` matter for `access` only. */
export type WrittenKey = WrittenProject['keys'][number];

const trustedSchema = z
  .array(
    entry({
      project: text.schema,
      issuer: text.schema.nullable().default(null),
      audience: text.schema.nullable().default(null),
      secretFile: text.schema.nullable().default(null),
      publicKeyFile: text.schema.nullable().default(null),
      jwksUrl: text.schema
        .refine(isSafeUrl, 'expected an https URL; http is for this machine only')
        .nullable()
        .default(null),
    }).readonly(),
    { error: 'expected a list of those whose tokens are accepted' },
  )
  .readonly();

/** Somebody whose tokens are accepted, as it is written. */
export type WrittenIssuer = z.output<typeof trustedSchema>[number];

const topicSettings = {
  id: setting(dottedPath, {
    default: 'keen.id',
    description: 'Where an event carries the id by which duplicates are known.',
  }),
  timestamp: setting(dottedPath, {
    default: 'keen.timestamp',
    description:
      'Where an event carries its own time: ISO 8601 text, or milliseconds since 1970. The broker’s time stands in where there is none.',
  }),
  sequence: setting(dottedPath, {
    default: 'sequence_number',
    description: 'Where an event carries the integer that `order: SEQUENCE` goes by.',
  }),
  order: setting(oneOf(['ARRIVAL', 'TIMESTAMP', 'SEQUENCE']), {
    default: 'TIMESTAMP',
    description: 'The order of a subscription that does not ask for one.',
  }),
  lateness: setting(duration({ minMs: 0, maxMs: hour }), {
    default: 2 * second,
    description:
      'How long an event waits for earlier ones. What arrives later still is delivered, flagged late.',
  }),
  maxAdvance: setting(duration({ minMs: 0, maxMs: hour }), {
    default: second,
    description: 'How far ahead of the broker’s time an event’s own time is believed.',
  }),
  dedupWindow: setting(duration({ minMs: 0, maxMs: 30 * day }), {
    default: 10 * minute,
    description:
      'How far apart two copies of an event are still known as copies; at least `lateness`.',
  }),
  maxDedupBytes: setting(bytes({ min: MiB, max: 64 * GiB }), {
    default: 64 * MiB,
    description: 'Most memory for the ids of one stream. What does not fit cuts the window short.',
  }),
  maxHeldBytes: setting(bytes({ min: 64 * KiB, max: 64 * GiB }), {
    default: 64 * MiB,
    description:
      'Most memory for the events of one stream that wait for their place in the order; less where `--max-old-space-size` is small. With so much the first are delivered before their time.',
  }),
  maxStall: setting(duration({ minMs: 100, maxMs: hour }), {
    default: 10 * second,
    description: 'How long a partition that cannot be read holds back the others.',
  }),
} as const satisfies Settings;

/** How one topic is decoded, ordered and de-duplicated. */
export type TopicConfig = ValuesOf<typeof topicSettings>;

const overridesSchema = z
  .record(text.schema, partialOf<TopicConfig>(topicSettings), {
    error: 'expected a mapping from topic to settings',
  })
  .readonly();

/**
 * The one table of settings. Validation, environment variables, the typed result and the tables of
 * docs/configuration.md all come from it.
 */
export const settings = {
  workers: setting(integer({ min: 1, max: 64 }), {
    default: 1,
    description:
      'How many processes serve on the port, each a full server with its own connections to Kafka: one for each core that Millrace may have. More than 1 needs a system that shares ports (Linux, FreeBSD).',
  }),
  listen: section({
    host: setting(text, {
      default: '127.0.0.1',
      description: 'Address to listen on; `0.0.0.0` or `::` for all.',
    }),
    port: setting(integer({ min: 0, max: 65_535 }), {
      default: 4_000,
      description: 'Port to listen on; 0: any free one, which the line on standard output tells.',
    }),
    tls: section({
      certFile: optional(file, {
        description:
          'Certificate to serve with over TLS (https, wss), PEM, those of intermediate authorities behind it. It and its key are watched, and a new one is served with from then on. Absent: no TLS.',
      }),
      keyFile: optional(file, { description: 'Private key of the certificate, PEM.' }),
    }),
  }),
  kafka: section({
    client: setting(oneOf(['kafkajs', 'platformatic', 'embedded']), {
      default: 'kafkajs',
      description:
        'The Kafka client to read with. `embedded` is a log inside the process, for trying things out; it forgets everything when the process ends.',
    }),
    brokers: setting(listOf(broker), {
      default: [],
      description: 'Brokers to find the cluster by. Needed unless the client is `embedded`.',
    }),
    clientId: setting(text, {
      default: 'millrace',
      description: 'Name that the brokers see in their logs and quotas.',
    }),
    ssl: switchable(
      { default: false, description: 'TLS to the brokers, trusting the system’s authorities.' },
      {
        caFile: optional(file, { description: 'Authorities to trust instead, PEM.' }),
        certFile: optional(file, { description: 'Client certificate, PEM.' }),
        keyFile: optional(file, { description: 'Private key of the client certificate, PEM.' }),
        servername: optional(text, {
          description: 'Name to expect in the brokers’ certificates instead of their host names.',
        }),
      },
    ),
    credentials: setting(oneOf(['client', 'service']), {
      default: 'client',
      description:
        '`client`: every project logs in to Kafka as itself (PLAIN: project id and key), and the cluster decides. `service`: one login for all, and `auth.projects` decides.',
    }),
    sasl: section({
      mechanism: optional(oneOf(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']), {
        description: 'How the service logs in; absent: it does not.',
      }),
      username: optional(text, { description: 'For PLAIN and SCRAM.' }),
      password: optional(text, { description: 'For PLAIN and SCRAM.', secret: true }),
      passwordFile: optional(file, { description: 'File that holds the password instead.' }),
      tokenFile: optional(file, {
        description: 'For OAUTHBEARER: file with the token, read afresh for every login.',
      }),
    }),
    topicTemplate: setting(textLike('template', topicTemplateProblem), {
      default: '{topic}',
      description:
        'Kafka’s name for a topic of a project. Needs `{projectId}` where the cluster itself does not keep projects apart.',
    }),
    deadLetterSuffix: setting(
      textLike('text', (value) =>
        topicName(value) === value
          ? undefined
          : 'expected letters A-Z and a-z, digits, ".", "_" and "-" only',
      ),
      { default: '-dlq', description: 'What a topic’s dead-letter topic has behind its name.' },
    ),
    loginCacheTtl: setting(duration({ minMs: second, maxMs: day }), {
      default: minute,
      description:
        'With `credentials: client`: how long a verified login that nobody uses is remembered.',
    }),
    loginProbeInterval: setting(duration({ minMs: 100, maxMs: hour }), {
      default: 3 * second,
      description:
        'With `credentials: client`: how often a login in use is verified afresh. More than 4s breaks the promise that a revoked key’s subscriptions end within 5 seconds.',
    }),
  }),
  auth: section({
    projects: optional(structure('list of projects', projectsSchema), {
      whenEmpty: [],
      description:
        'With `credentials: service`: the projects and their keys. They are applied without a restart, and so is the rest of `auth`.',
    }),
    accessKeyFilters: setting(oneOf(['refuse', 'enforce']), {
      default: 'refuse',
      description:
        '`refuse`: an access key with filters may not read. `enforce`: it may, and sees no event that its filters do not let pass; `check-config` refuses filters that cannot be enforced.',
    }),
  }),
  tokens: section({
    secret: optional(text, {
      secret: true,
      description:
        'At least 32 characters by which tokens are encrypted; the same on all instances. Absent: `cursors.secret`; without that one too, tokens are good on the machine that made them only, and until it is restarted.',
    }),
    secretFile: optional(file, { description: 'File that holds the secret instead.' }),
    maxExpiresIn: setting(duration({ minMs: minute, maxMs: 7 * day }), {
      default: day,
      description: 'How long a token may be good at the most, whoever made it.',
    }),
    trusted: setting(structure('list of issuers', trustedSchema), {
      default: [],
      description:
        'With `credentials: service`: whose own tokens are accepted for a project. See [tokens](tokens.md).',
    }),
  }),
  cursors: section({
    secret: optional(text, {
      secret: true,
      description:
        'At least 32 characters by which cursors are authenticated; the same on all instances. Absent: derived from the cluster’s id, which is enough against damage but not against forging.',
    }),
    secretFile: optional(file, { description: 'File that holds the secret instead.' }),
  }),
  topics: section({
    defaults: section(topicSettings),
    overrides: setting(
      structure('mapping from topic to any of `topics.defaults`', overridesSchema),
      {
        default: {},
        description: 'Topics that differ from the defaults, and in what.',
      },
    ),
  }),
  feeds: section({
    linger: setting(duration({ minMs: 0, maxMs: day }), {
      default: 30 * second,
      description: 'How long a topic is read on after its last subscriber left.',
    }),
    historyBytes: setting(bytes({ min: MiB, max: 4 * GiB }), {
      default: 16 * MiB,
      description:
        'How much of what it delivered each stream (a topic in one order) remembers, for clients that come back or were slow; less where `--max-old-space-size` is small. What is not remembered is read from Kafka again.',
    }),
    warmUpRecords: setting(integer({ min: 0, max: 100_000_000 }), {
      default: 500_000,
      description:
        'Most records that a feed reads at its start for their ids only, so that it knows the duplicates of the window before. It delivers nothing until they are read.',
    }),
  }),
  limits: section({
    connections: optional(integer({ min: 1, max: 1_000_000 }), {
      description: `Most connections of whatever kind, of each process; fewer where it may not open so many files, or \`--max-old-space-size\` is small. Absent: ${usualConnections}. What is beyond is answered with 503, but for \`/health\` and \`/metrics\`.`,
    }),
    connectionsPerProject: setting(integer({ min: 1, max: 1_000_000 }), {
      default: 15_000,
      description: 'Most WebSockets and event streams of one project, of each process.',
    }),
    bytesPerSecondPerProject: setting(bytes({ min: KiB, max: 64 * GiB }), {
      default: 128 * MiB,
      description:
        'Most bytes that one project is sent in a second, of each process. What is beyond waits as for a slow client: nothing is lost, and other projects do not notice.',
    }),
    answerBytesPerProject: setting(bytes({ min: 64 * KiB, max: 64 * GiB }), {
      default: 64 * MiB,
      description:
        'Most bytes of answers to queries that the clients of one project may leave untaken, together with the next one, of each process; fewer where `--max-old-space-size` is small. An answer that would be too much is refused.',
    }),
    queriesPerProject: setting(integer({ min: 1, max: 1_000_000 }), {
      default: 1_000,
      description:
        'Most queries of one project that are under way at a time, of each process; also those whose clients have gone.',
    }),
    headersTimeout: setting(duration({ minMs: 100, maxMs: 5 * minute }), {
      default: 10 * second,
      description: 'How long a client may take to send the head of a request.',
    }),
    requestTimeout: setting(duration({ minMs: 100, maxMs: 30 * minute }), {
      default: 30 * second,
      description:
        'How long a client may take to send a request with its body; at least `limits.headersTimeout`.',
    }),
    headerBytes: setting(bytes({ min: 2 * KiB, max: MiB }), {
      default: 32 * KiB,
      description: 'Largest head of a request, its address with a GraphQL document included.',
    }),
    subscriptionsPerProject: setting(integer({ min: 1, max: 10_000_000 }), {
      default: 100_000,
      description: 'Most subscriptions of one project, of each process.',
    }),
    conditionsPerProject: setting(integer({ min: 32, max: 10_000_000 }), {
      default: 100_000,
      description:
        'Most conditions in the filters of all subscriptions of one project, of each process, that may have to be evaluated for one event: one of `EQ` or `IN` in each filter is looked up instead, and does not count. As many take some 30 ms.',
    }),
    subscriptionsPerConnection: setting(integer({ min: 1, max: 100_000 }), {
      default: 100,
      description: 'Most subscriptions on one WebSocket.',
    }),
    outboundBytesPerConnection: setting(bytes({ min: 64 * KiB, max: GiB }), {
      default: MiB,
      description:
        'Most bytes that wait for a slow client. Past it they are dropped, and its subscriptions go on from before them, read from Kafka again, when it takes something. While so much of other answers waits, nothing more is read from its WebSocket.',
    }),
    stallTimeout: setting(duration({ minMs: second, maxMs: day }), {
      default: minute,
      description:
        'How long a client may take nothing at all of what waits for it, whatever it sends. Then its connection is closed: a WebSocket with 1013, a stream of server-sent events by its end.',
    }),
    latestValues: setting(integer({ min: 1, max: 10_000_000 }), {
      default: 10_000,
      description:
        'Most values of `by` that a `delivery` of mode LATEST tells apart within an interval, for all who ask for the same. With so many it sends the newest of each before the interval ends.',
    }),
    latestBytes: setting(bytes({ min: 64 * KiB, max: GiB }), {
      default: 16 * MiB,
      description:
        'Most bytes of events that wait in it for the end of an interval. With so many they are sent before.',
    }),
    messageBytes: setting(bytes({ min: 64 * KiB, max: GiB }), {
      default: 8 * MiB,
      description:
        'Most bytes of what a subscription over GraphQL selects of one message: an event, a batch, a dead letter. More ends that subscription; fields that are selected several times by aliases count as often.',
    }),
    batchBytes: setting(bytes({ min: KiB, max: GiB }), {
      default: MiB,
      description:
        'Most bytes of events in one batch of `eventBatches`. With so many it is sent before it has `maxEvents`.',
    }),
    waitingBytesPerProject: setting(bytes({ min: 64 * KiB, max: 64 * GiB }), {
      default: 128 * MiB,
      description:
        'Most bytes of events that wait for one project in all its batches and intervals of `delivery` together, of each process; fewer where `--max-old-space-size` is small. With so many, what waits is sent early. An event that several of them wait with is counted for each.',
    }),
    initTimeout: setting(duration({ minMs: 100, maxMs: 5 * minute }), {
      default: 5 * second,
      description:
        'How long a new WebSocket may take until it is authenticated, and how long the credentials of a request may take to be verified.',
    }),
    inboundFrameBytes: setting(bytes({ min: KiB, max: 16 * MiB }), {
      default: 64 * KiB,
      description: 'Largest message, and largest body of a request, that a client may send.',
    }),
    topicsPerProject: setting(integer({ min: 2, max: 1_000_000 }), {
      default: 1_000,
      description:
        'Most topics of one project, dead-letter topics included, that are read at a time, of each process. Past it the one that nobody has listened to for longest is closed before `feeds.linger` is over; where somebody listens to each, one more is refused.',
    }),
    catchUpReadersPerProject: setting(integer({ min: 1, max: 10_000 }), {
      default: 10,
      description:
        'Most readers of the past (`since`, `after`, clients that were slow) that one project has at a time. Many subscriptions share one; those for whom there is none wait for their turn, for two seconds at the most behind one whose client takes nothing. One of dead letters reads two topics.',
    }),
    recentEvents: setting(integer({ min: 1, max: 100_000 }), {
      default: 1_000,
      description: 'Most that `recentEvents` and `recentDeadLetters` answer.',
    }),
    recentBytes: setting(bytes({ min: 64 * KiB, max: GiB }), {
      default: 16 * MiB,
      description:
        'Most bytes of events or dead letters in one such answer; fewer where `--max-old-space-size` is small.',
    }),
    recentReadersPerProject: setting(integer({ min: 2, max: 10_000 }), {
      default: 8,
      description:
        'Most topics that such queries of one project look through at a time; `recentDeadLetters` takes two.',
    }),
    concurrentLogins: setting(integer({ min: 1, max: 1_000 }), {
      default: 16,
      description:
        'With `credentials: client`: most first logins under way at a time, and as many again to verify logins in use.',
    }),
    queuedLogins: setting(integer({ min: 0, max: 100_000 }), {
      default: 1_000,
      description: 'With `credentials: client`: most first logins that wait for their turn.',
    }),
    usedTokens: setting(integer({ min: 1_000, max: 10_000_000 }), {
      default: 100_000,
      description:
        'Most single-use tokens that may be used in a minute: each is remembered until it could not be used any more.',
    }),
    queryDepth: setting(integer({ min: 1, max: 1_000 }), {
      default: 6,
      description: 'Deepest nesting of a GraphQL document.',
    }),
    queryAliases: setting(integer({ min: 0, max: 10_000 }), {
      default: 15,
      description: 'Most aliases in a GraphQL document.',
    }),
    queryDirectives: setting(integer({ min: 0, max: 10_000 }), {
      default: 50,
      description: 'Most directives in a GraphQL document.',
    }),
    queryTokens: setting(integer({ min: 10, max: 1_000_000 }), {
      default: 1_000,
      description: 'Most lexical tokens in a GraphQL document.',
    }),
    queryCharacters: setting(integer({ min: 10, max: 10_000_000 }), {
      default: 15_000,
      description: 'Longest GraphQL document.',
    }),
  }),
  metrics: section({
    token: optional(text, {
      secret: true,
      description:
        'What whoever reads `/metrics` must send as a bearer token, at least 32 characters. Absent: they are shown to the machine that the server runs on, at `localhost` or `127.0.0.1`, and not through a proxy.',
    }),
    tokenFile: optional(file, { description: 'File that holds the token instead.' }),
    maxTopics: setting(integer({ min: 0, max: 100_000 }), {
      default: 500,
      description:
        'Most pairs of project and topic with series of their own, the first to come. All others share one, in which both labels are `other`.',
    }),
    maxProjects: setting(integer({ min: 0, max: 100_000 }), {
      default: 500,
      description:
        'Most projects with series of their own, the first to come. All others share one, in which the label is `other`.',
    }),
  }),
  graphql: section({
    graphiql: setting(flag, {
      default: true,
      description: 'Serve GraphiQL to a browser that opens `/graphql`.',
    }),
    introspection: setting(flag, {
      default: true,
      description:
        'Let clients read the schema, and suggest names of it in errors (“Did you mean …”). GraphiQL needs it.',
    }),
  }),
  http: section({
    allowedOrigins: setting(listOf(origin), {
      default: [],
      description:
        'Pages of which origins may connect from a browser. The server’s own pages always may; a client without an Origin header always may.',
    }),
    console: setting(flag, {
      default: true,
      description: 'Serve the console at `/console`, and lead browsers that open `/` there.',
    }),
    compression: setting(flag, {
      default: false,
      description:
        'Compress what WebSockets deliver (permessage-deflate), for clients that offer it: an event once for all who get the same of it. It saves network and costs the clients a little work.',
    }),
  }),
  shutdown: section({
    readyDelay: setting(duration({ minMs: 0, maxMs: 10 * second }), {
      default: second,
      description:
        'After SIGTERM: how long the server serves on as before while `/health/ready` says `draining`, so that load balancers send no more clients to it.',
    }),
    drainTime: setting(duration({ minMs: 0, maxMs: 15 * second }), {
      default: 5 * second,
      description:
        'In how long a time after that the connections are ended, each at a moment of its own, so that the clients do not come back in one instant. It takes 10 ms for each, and no more than this.',
    }),
  }),
  log: section({
    level: setting(oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']), {
      default: 'info',
      description: 'Least severity that is logged.',
    }),
  }),
} as const satisfies Settings;

/** Keys that are fetched in the clear could be anybody's. */
function isSafeUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isHere);
}

/** The schema of a mapping with any subset of these settings. */
function partialOf<V>(of: Record<string, Setting<unknown>>): z.ZodType<Partial<V>> {
  const names = Object.entries(of);
  const shape = Object.fromEntries(names.map(([name, { type }]) => [name, type.schema.optional()]));
  return entry(shape).transform((written) => {
    const values: Record<string, unknown> = {};
    for (const [name, { type }] of names) {
      if (written[name] !== undefined) values[`${name}${type.suffix}`] = written[name];
    }
    // Every value came out of the schema of its setting.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return values as Partial<V>;
  });
}
