import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaAccess } from '../../scripts/kafka/access.ts';
import { freePorts } from '../../scripts/kafka/ports.ts';
import { Dice } from '../model/dice.ts';
import type { Login } from '../support/graphql-client.ts';
import { testTenants, uniqueTopic } from '../support/kafka.ts';
import { ServerProcess } from '../support/server-process.ts';
import { serviceSettings } from '../support/service-settings.ts';
import { until } from '../support/until.ts';
import { type Account, Accountant, type Margin, remainsOf } from './account.ts';
import { churn } from './churn.ts';
import { type Ground, type SoakTopic, Tally } from './ground.ts';
import { Residents } from './residents.ts';
import { type RecordedTopic, startTraffic } from './traffic.ts';

export interface SoakOptions {
  readonly client: 'kafkajs' | 'platformatic';
  readonly credentials: 'client' | 'service';
  readonly seed: number;
  /** Visitors at a time. */
  readonly atOnce: number;
  /** Of each project, those that nobody stays with. */
  readonly topics: number;
  readonly warmUpMs: number;
  /** How many come between the two looks, … @default as many as there is time for */
  readonly visits?: number;
  /** … and in how long at the most. */
  readonly churnMs: number;
  readonly margin: Margin;
  /** A folder for snapshots of the heap, before and after. @default none are made */
  readonly snapshots?: string | undefined;
  readonly log: (line: string) => void;
}

export interface SoakReport {
  readonly visits: number;
  readonly connections: number;
  readonly subscriptions: number;
  /** Texts with a cursor that visitors got. */
  readonly messages: number;
  readonly visitsByKind: Readonly<Record<string, number>>;
  /** What visitors were told, by code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly baseline: Account;
  readonly after: Account;
  /** What is not as it should be, in words. */
  readonly wrong: readonly string[];
}

const latenessMs = 500;
const lingerMs = 1_000;
/** How long what was closed may take to be gone: connections to Kafka, stalled clients, lingering feeds. */
const returnWithinMs = 45_000;
const partitions = 3;
const mostMoreChurns = 5;

/** Visitors that get nothing try nothing. */
function gotLittle({ messages, subscriptions }: Tally): boolean {
  return 4 * messages <= subscriptions;
}

/** Everything is given back soon, so that as much is opened and closed in minutes as otherwise in an hour. */
const shortLived = {
  MILLRACE_FEEDS_LINGER: `${lingerMs}ms`,
  MILLRACE_FEEDS_HISTORY_BYTES: '1MiB',
  MILLRACE_TOPICS_DEFAULTS_LATENESS: `${latenessMs}ms`,
  MILLRACE_TOPICS_DEFAULTS_DEDUP_WINDOW: '5s',
  MILLRACE_LIMITS_OUTBOUND_BYTES_PER_CONNECTION: '64KiB',
  MILLRACE_LIMITS_STALL_TIMEOUT: '2s',
  MILLRACE_LIMITS_INIT_TIMEOUT: '2s',
  MILLRACE_LIMITS_HEADERS_TIMEOUT: '2s',
  MILLRACE_KAFKA_LOGIN_CACHE_TTL: '1s',
  MILLRACE_KAFKA_LOGIN_PROBE_INTERVAL: '1s',
};

/**
 * Runs a server that some clients stay with while many others come and go, and compares what it holds before
 * and after. For Linux.
 */
export async function soak(kafka: KafkaAccess, options: SoakOptions): Promise<SoakReport> {
  const { client, credentials, seed, atOnce, warmUpMs, churnMs, margin, snapshots, log } = options;
  const { visits = Infinity } = options;
  const [port = 0] = await freePorts(1);
  const brokers = kafka.bootstrap('saslPlaintext');
  const server = new ServerProcess(
    { ...settingsFor(kafka, port, options), ...shortLived },
    { nodeOptions: ['--expose-gc'], probe: new URL('probe.ts', import.meta.url) },
  );
  const logins = testTenants.projects.map(({ id, keys: [key] }) => ({
    projectId: id,
    key: credentials === 'client' ? key : `${id}-read`,
  }));
  const { staying, passing, loud } = topicsOf(logins, options.topics);
  const traffic = await startTraffic(kafka, {
    topics: [...staying, ...passing, ...loud],
    partitions,
    latenessMs,
    seed,
  });
  const residents: Residents[] = [];
  try {
    await server.start();
    const accountant = new Accountant(server, brokers);
    for (const login of logins) {
      const own = staying.filter(({ projectId }) => projectId === login.projectId);
      for (const topic of own) residents.push(new Residents(server.url, login, topic));
    }
    await until(
      'the residents to get something',
      () => residents.every(({ messages }) => messages > 1),
      returnWithinMs,
    );
    const dice = new Dice(seed);
    const cursors = new Map<string, string>();
    const topics: readonly SoakTopic[] = [...staying, ...passing];
    const { url } = server;
    const groundFor = (tally: Tally): Ground => ({
      url,
      logins,
      topics,
      loud,
      dice,
      tally,
      cursors,
    });
    await churn(groundFor(new Tally()), { atOnce, withinMs: warmUpMs });
    await sleep(2 * lingerMs);
    // The first may be of what is still being closed.
    await accountant.baseline();
    if (snapshots !== undefined) {
      await accountant.snapshot(join(snapshots, `${client}-before.heapsnapshot`));
    }
    const baseline = await accountant.baseline();
    log(`baseline: ${JSON.stringify(baseline)}`);
    const tally = new Tally();
    const ground = groundFor(tally);
    await churn(ground, { atOnce, visits, withinMs: churnMs });
    // On a busy machine many leave before anything has come.
    for (let more = 0; more < mostMoreChurns && gotLittle(tally); more += 1) {
      await churn(ground, { atOnce, visits, withinMs: churnMs });
    }
    await sleep(2 * lingerMs);
    const after = await accountant.return(baseline, margin, returnWithinMs);
    if (snapshots !== undefined) {
      await accountant.snapshot(join(snapshots, `${client}-after.heapsnapshot`));
    }
    const { connections, subscriptions, messages, errors, keptOpen } = tally;
    const wrong = [
      ...remainsOf(after, baseline, margin),
      ...residents.flatMap(({ ends }) => ends),
      ...keptOpen.map((what) => `the server did not end ${what}`),
      ...(errors['INTERNAL'] === undefined
        ? []
        : [`INTERNAL was told ${errors['INTERNAL']} times`]),
      ...(gotLittle(tally) ? [`there were only ${messages} messages`] : []),
    ];
    return {
      visits: Object.values(tally.visits).reduce((sum, count) => sum + count, 0),
      connections,
      subscriptions,
      messages,
      visitsByKind: tally.visits,
      errors,
      baseline,
      after,
      wrong,
    };
  } finally {
    for (const resident of residents) resident.leave();
    await server.kill();
    await traffic.end();
  }
}

function settingsFor(
  kafka: KafkaAccess,
  port: number,
  { client, credentials }: SoakOptions,
): Record<string, string> {
  if (credentials === 'service') return serviceSettings(kafka, port, client);
  return {
    MILLRACE_LISTEN_PORT: String(port),
    MILLRACE_KAFKA_CLIENT: client,
    MILLRACE_KAFKA_BROKERS: kafka.bootstrap('saslPlaintext').join(),
    MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
  };
}

function topicsOf(
  logins: readonly Login[],
  passing: number,
): Readonly<Record<'staying' | 'passing' | 'loud', RecordedTopic[]>> {
  const topics = (name: string, count: number, rest: Omit<RecordedTopic, keyof SoakTopic>) =>
    logins.flatMap(({ projectId }) =>
      Array.from({ length: count }, () => ({ projectId, name: uniqueTopic(name), ...rest })),
    );
  return {
    staying: topics('staying', 1, { eventsPerSecond: 100 }),
    passing: topics('passing', passing, { eventsPerSecond: 2 }),
    loud: topics('loud', 1, { eventsPerSecond: 20, paddingBytes: 20_000 }),
  };
}
