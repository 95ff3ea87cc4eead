import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/config.ts';
import type { FeedState } from '../../src/hub/feed-counts.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import { createLogger, type Logger } from '../../src/observe/logger.ts';
import { type RunningServer, type ServerDependencies, startServer } from '../../src/server.ts';
import { until } from './until.ts';

/** The digest that a configuration holds of a key. */
export function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Keys of every sort; each key is its project's id and its name: `acme-master`. */
export const testProjects = ['acme', 'globex'].map((id) => ({
  id,
  keys: [
    { name: 'master', kind: 'master', sha256: digestOf(`${id}-master`) },
    { name: 'read', kind: 'read', sha256: digestOf(`${id}-read`) },
    { name: 'narrow', kind: 'read', sha256: digestOf(`${id}-narrow`), topics: ['signups'] },
    { name: 'write', kind: 'write', sha256: digestOf(`${id}-write`) },
    {
      name: 'filtered',
      kind: 'access',
      sha256: digestOf(`${id}-filtered`),
      permitted: ['queries'],
      filters: [{ property_name: 'a' }],
    },
    { name: 'access', kind: 'access', sha256: digestOf(`${id}-access`), permitted: ['queries'] },
    { name: 'no-queries', kind: 'access', sha256: digestOf(`${id}-no-queries`), permitted: [] },
    {
      name: 'inactive',
      kind: 'access',
      sha256: digestOf(`${id}-inactive`),
      permitted: ['queries'],
      active: false,
    },
  ],
}));

/** Settings by their environment variables, over defaults that suit tests. */
export function testConfig(settings: Readonly<Record<string, string>> = {}): Config {
  const { config, problems } = loadConfig({
    env: {
      MILLRACE_LISTEN_PORT: '0',
      MILLRACE_KAFKA_CLIENT: 'embedded',
      MILLRACE_KAFKA_CREDENTIALS: 'service',
      MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
      MILLRACE_AUTH_PROJECTS: JSON.stringify(testProjects),
      MILLRACE_TOPICS_DEFAULTS_LATENESS: '200ms',
      MILLRACE_LOG_LEVEL: 'error',
      // On a busy machine clients of tests are slow to say who they are, and so are brokers to let them in.
      MILLRACE_LIMITS_INIT_TIMEOUT: '1m',
      MILLRACE_LIMITS_HEADERS_TIMEOUT: '1m',
      MILLRACE_LIMITS_REQUEST_TIMEOUT: '2m',
      ...settings,
    },
  });
  if (config === null) throw new Error(JSON.stringify(problems));
  return config;
}

/** A server that goes with the test. */
export async function runServer(
  t: TestContext,
  config: Config,
  dependencies: Partial<ServerDependencies> = {},
): Promise<RunningServer> {
  const logger = createLogger({ level: config.log.level });
  const server = await startServer(config, { logger, ...dependencies });
  t.after(() => server.close());
  return server;
}

/**
 * Resolves when a feed of the Kafka topic has come so far: by default it runs, so that what is recorded
 * from now on must come.
 */
export function feedIs(
  { hub }: RunningServer,
  kafkaTopic: string,
  { state = 'RUNNING', subscribers = 1 }: { state?: FeedState; subscribers?: number } = {},
): Promise<void> {
  return until(`a feed of ${kafkaTopic}: ${state}, ${subscribers} subscribers`, () =>
    [...hub.registry.feeds()].some(
      (feed) =>
        feed.kafkaTopic === kafkaTopic && feed.state === state && feed.subscribers >= subscribers,
    ),
  );
}

/** Resolves when the feeds of the Kafka topic have read up to these ends: those that somebody subscribes to. */
export function haveRead(
  { hub }: RunningServer,
  kafkaTopic: string,
  ends: readonly { readonly partition: number; readonly high: number }[],
): Promise<void> {
  return until(`${kafkaTopic} to be read to its end`, () =>
    [...hub.registry.feeds()].every(
      (feed) =>
        feed.kafkaTopic !== kafkaTopic ||
        feed.subscribers === 0 ||
        ends.every(({ partition, high }) => (feed.next.get(partition) ?? 0) >= high),
    ),
  );
}

/** A server on a log of its own, with the topics that are named (`acme.purchases`). */
export async function runEmbedded(
  t: TestContext,
  {
    topics,
    settings,
    ...dependencies
  }: {
    topics: readonly string[];
    settings?: Readonly<Record<string, string>>;
    logger?: Logger;
    /** What the server goes by. */
    clock?: Clock;
  },
): Promise<{ server: RunningServer; kafka: EmbeddedKafka }> {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  for (const topic of topics) kafka.createTopic(topic, 3);
  const driver = kafka.driver();
  const server = await runServer(t, testConfig(settings), { driver, ...dependencies });
  return { server, kafka };
}
