import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { freePorts } from '../../scripts/kafka/ports.ts';
import { Dice } from '../model/dice.ts';
import { testTenants } from '../support/kafka.ts';
import { testProjects } from '../support/server.ts';
import { until } from '../support/until.ts';
import type { ChaosTopic } from './event.ts';
import { type FaultName, faults, pester, type Scene } from './faults.ts';
import { examplesOf, judge, type Verdict } from './judge.ts';
import { Load } from './load.ts';
import { ServerProcess } from './server-process.ts';
import { type ComingBack, Subscriber, type SubscriberOptions } from './subscriber.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** What is broken, one after the other. */
  readonly plan: readonly FaultName[];
  /** By subscribers, for each topic. */
  readonly comingBack: readonly ComingBack[];
  readonly log: (line: string) => void;
}

export interface ChaosReport {
  readonly acknowledged: number;
  readonly delivered: number;
  readonly connections: number;
  readonly resumes: number;
  /** How often a server dropped what waited for a slow client. */
  readonly fellBehind: number;
  readonly longestSilenceMs: number;
  /** How long it took until everyone had everything, once nothing was broken any more. */
  readonly caughtUpMs: number;
  readonly verdicts: readonly {
    readonly name: string;
    readonly comingBack: ComingBack;
    readonly verdict: Verdict;
    readonly errors: readonly string[];
    readonly examples: readonly string[];
  }[];
}

const [bridge] = testTenants.users;
const partitions = 3;
const eventsPerSecond = 150;
const topics: readonly ChaosTopic[] = [
  ['acme', 'orders'],
  ['acme', 'clicks'],
  ['globex', 'orders'],
].map(([projectId = '', name = '']) => ({ projectId, name, kafkaTopic: `${projectId}.${name}` }));
/** After the last fault; what has not come by then is lost. */
const settleWithinMs = 60_000;

const shapes: readonly Pick<SubscriberOptions, 'transport' | 'field' | 'order'>[] = [
  { transport: 'graphql-ws', field: 'events', order: 'TIMESTAMP' },
  { transport: 'graphql-sse', field: 'events', order: 'TIMESTAMP' },
  { transport: 'graphql-ws', field: 'eventBatches', order: 'TIMESTAMP' },
  { transport: 'graphql-sse', field: 'events', order: 'SEQUENCE' },
  { transport: 'graphql-ws', field: 'events', order: 'ARRIVAL' },
  { transport: 'graphql-sse', field: 'eventBatches', order: 'ARRIVAL' },
];

/** Runs two servers on a cluster of three brokers, breaks things, and judges what everyone got. */
export async function runChaos(kafka: KafkaCluster, options: ChaosOptions): Promise<ChaosReport> {
  const { seed, plan, comingBack, log } = options;
  const dice = new Dice(seed);
  for (const { kafkaTopic } of topics) {
    await kafka.createTopic(kafkaTopic, { partitions, config: { 'min.insync.replicas': '2' } });
  }
  const servers = await openServers(kafka);
  const urls = servers.map(({ url }) => url);
  const sinceMs = Date.now();
  const subscribers = comingBack.flatMap((how) =>
    topics.flatMap((topic, at) =>
      shapes.map((shape, index) => ({
        how,
        subscriber: new Subscriber({
          ...shape,
          topic,
          login: { projectId: topic.projectId, key: `${topic.projectId}-read` },
          comingBack: how,
          urls,
          sinceMs,
          dice: new Dice(seed + at * 100 + index),
        }),
      })),
    ),
  );
  const loads = topics.map((topic, index) => ({
    kafkaTopic: topic.kafkaTopic,
    load: new Load(kafka, { topic, partitions, eventsPerSecond, dice: new Dice(seed + index) }),
  }));
  const everyone = subscribers.map(({ subscriber }) => subscriber);
  const scene: Scene = { kafka, servers, subscribers: everyone, loads, dice };
  const ended = new AbortController();
  try {
    await Promise.all(loads.map(({ load }) => load.start()));
    for (const subscriber of everyone) subscriber.start();
    const pestering = pester(scene, ended.signal);
    await sleep(1_000);
    for (const fault of plan) {
      const startedAtMs = performance.now();
      await faults[fault](scene);
      log(`${fault}: ${Math.round(performance.now() - startedAtMs)} ms`);
      await sleep(dice.below(1_500));
    }
    ended.abort();
    await pestering;
    await Promise.all(loads.map(({ load }) => load.end()));
    const endedAtMs = performance.now();
    const acknowledgedOf = ({ topic }: Subscriber) =>
      loads.find(({ kafkaTopic }) => kafkaTopic === topic.kafkaTopic)?.load.acknowledged ??
      new Map();
    const hasAll = (subscriber: Subscriber): boolean => {
      for (const id of acknowledgedOf(subscriber).keys()) {
        if (!subscriber.ids.has(id)) return false;
      }
      return true;
    };
    await until(
      'everyone to have everything',
      () => subscribers.every(({ how, subscriber }) => how !== 'cursor' || hasAll(subscriber)),
      settleWithinMs,
    ).catch((error: unknown) => log(String(error)));
    const caughtUpMs = performance.now() - endedAtMs;
    // What comes twice comes now.
    await sleep(2_000);
    const acknowledged = loads.reduce((sum, { load }) => sum + load.acknowledged.size, 0);
    const sum = (of: (subscriber: Subscriber) => number): number =>
      everyone.reduce((total, subscriber) => total + of(subscriber), 0);
    return {
      acknowledged,
      delivered: sum(({ got }) => got.length),
      connections: sum(({ connections }) => connections),
      resumes: sum(({ resumes }) => resumes),
      fellBehind: servers
        .flatMap(({ warnings }) => warnings)
        .filter((line) => line.includes('too slow')).length,
      longestSilenceMs: Math.max(...everyone.map(({ longestSilenceMs }) => longestSilenceMs)),
      caughtUpMs,
      verdicts: subscribers.map(({ how, subscriber }) => ({
        name: subscriber.name,
        comingBack: how,
        verdict: judge(subscriber, acknowledgedOf(subscriber)),
        errors: subscriber.errors,
        examples: examplesOf(subscriber, acknowledgedOf(subscriber)),
      })),
    };
  } finally {
    ended.abort();
    for (const subscriber of everyone) subscriber.stop();
    await Promise.all(servers.map((server) => server.kill()));
  }
}

async function openServers(kafka: KafkaCluster): Promise<ServerProcess[]> {
  const ports = await freePorts(2);
  const servers = (['kafkajs', 'platformatic'] as const).map(
    (client, index) =>
      new ServerProcess({
        MILLRACE_LISTEN_PORT: String(ports[index]),
        MILLRACE_KAFKA_CLIENT: client,
        MILLRACE_KAFKA_BROKERS: kafka.bootstrap('saslPlaintext').join(),
        MILLRACE_KAFKA_CREDENTIALS: 'service',
        MILLRACE_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
        MILLRACE_KAFKA_SASL_USERNAME: bridge.name,
        MILLRACE_KAFKA_SASL_PASSWORD: bridge.password,
        MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
        MILLRACE_AUTH_PROJECTS: JSON.stringify(testProjects),
        MILLRACE_TOPICS_DEFAULTS_LATENESS: '1s',
        // Little, so that much of it is read from Kafka, and that clients are soon too slow.
        MILLRACE_FEEDS_HISTORY_BYTES: '1MiB',
        MILLRACE_LIMITS_OUTBOUND_BYTES_PER_CONNECTION: '64KiB',
      }),
  );
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}
