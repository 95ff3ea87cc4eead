import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { freePorts } from '../../scripts/kafka/ports.ts';
import { Dice } from '../model/dice.ts';
import { until } from '../support/until.ts';
import type { ChaosTopic } from './event.ts';
import { type FaultName, faults, pester, type Scene } from './faults.ts';
import { explain } from './explain.ts';
import { Flow } from './flow.ts';
import { falselyAcknowledged, judge, type Missing, type Verdict, verdictOf } from './judge.ts';
import { Load } from './load.ts';
import { LogCopy } from './log-copy.ts';
import { readLog } from './read-log.ts';
import { ServerProcess } from '../support/server-process.ts';
import { serviceSettings } from '../support/service-settings.ts';
import { type ComingBack, Subscriber, type SubscriberOptions } from './subscriber.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** What is broken, one after the other. */
  readonly plan: readonly FaultName[];
  /** Milliseconds after which no further fault is begun. @default never */
  readonly faultsWithinMs?: number;
  /** By subscribers, for each topic. */
  readonly comingBack: readonly ComingBack[];
  readonly log: (line: string) => void;
}

export interface ChaosReport {
  readonly acknowledged: number;
  readonly delivered: number;
  readonly connections: number;
  readonly resumes: number;
  /** How connections ended, of all subscribers together. */
  readonly ends: Readonly<Record<string, number>>;
  /** How often servers dropped what waited for a slow client, as far as it was asked for. */
  readonly slowMoves: number;
  /** For which no subscriber of a topic got anything. */
  readonly longestSilenceMs: number;
  /** How long it took until everyone had everything, once nothing was broken any more. */
  readonly caughtUpMs: number;
  /** What Kafka, or the load, lost: no word of Millrace in it. */
  readonly falselyAcknowledged: readonly Missing[];
  readonly verdicts: readonly {
    readonly name: string;
    readonly comingBack: ComingBack;
    readonly verdict: Verdict;
    readonly details: readonly string[];
  }[];
}

const partitions = 3;
const eventsPerSecond = 150;
const topics: readonly ChaosTopic[] = [
  ['acme', 'orders'],
  ['acme', 'clicks'],
  ['globex', 'orders'],
].map(([projectId = '', name = '']) => ({ projectId, name, kafkaTopic: `${projectId}.${name}` }));
/** After the last fault: when nothing has come for so long, what has not come is lost. */
const nothingWithinMs = 45_000;
/** However busy the machine is, it is given up then. */
const settleWithinMs = 180_000;

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
  const { seed, plan, faultsWithinMs = Infinity, comingBack, log } = options;
  const dice = new Dice(seed);
  for (const { kafkaTopic } of topics) {
    await kafka.createTopic(kafkaTopic, { partitions, config: { 'min.insync.replicas': '2' } });
  }
  const servers = await openServers(kafka);
  const urls = servers.map(({ url }) => url);
  const sinceMs = Date.now();
  const flows = topics.map(() => new Flow());
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
          onEvent: () => flows[at]?.came(),
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
  const scene: Scene = { kafka, servers, subscribers: everyone, loads, dice, slowMoves: 0 };
  const ended = new AbortController();
  try {
    await Promise.all(loads.map(({ load }) => load.start()));
    for (const subscriber of everyone) subscriber.start();
    const pestering = pester(scene, ended.signal);
    await sleep(1_000);
    const beganAtMs = performance.now();
    for (const [number, fault] of plan.entries()) {
      const startedAtMs = performance.now();
      if (startedAtMs - beganAtMs > faultsWithinMs) {
        log(`no more time: ${plan.length - number} faults are left out`);
        break;
      }
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
    const waitsFor = subscribers.filter(({ how }) => how === 'cursor');
    await until(
      'everyone to have everything',
      () => waitsFor.every(({ subscriber }) => hasAll(subscriber)) || isStill(everyone),
      settleWithinMs,
    ).catch((error: unknown) => log(String(error)));
    const caughtUpMs = performance.now() - endedAtMs;
    // What comes twice comes now.
    await sleep(2_000);
    const logs = new Map<string, LogCopy>();
    for (const { kafkaTopic } of topics) logs.set(kafkaTopic, await readLog(kafka, kafkaTopic));
    const logOf = (kafkaTopic: string): LogCopy => logs.get(kafkaTopic) ?? new LogCopy();
    const acknowledged = loads.reduce((sum, { load }) => sum + load.acknowledged.size, 0);
    const sum = (of: (subscriber: Subscriber) => number): number =>
      everyone.reduce((total, subscriber) => total + of(subscriber), 0);
    return {
      acknowledged,
      delivered: sum(({ got }) => got.length),
      connections: sum(({ connections }) => connections),
      resumes: sum(({ resumes }) => resumes),
      ends: endsOf(everyone),
      slowMoves: scene.slowMoves,
      longestSilenceMs: Math.max(...flows.map(({ longestSilenceMs }) => longestSilenceMs)),
      caughtUpMs,
      falselyAcknowledged: loads.flatMap(({ kafkaTopic, load }) =>
        falselyAcknowledged(load.acknowledged, logOf(kafkaTopic)),
      ),
      verdicts: subscribers.map(({ how, subscriber }) => {
        const log = logOf(subscriber.topic.kafkaTopic);
        const anomalies = judge(subscriber, log);
        return {
          name: subscriber.name,
          comingBack: how,
          verdict: verdictOf(anomalies),
          details: explain(anomalies, subscriber, log),
        };
      }),
    };
  } finally {
    ended.abort();
    for (const subscriber of everyone) subscriber.stop();
    for (const { load } of loads) load.giveUp();
    await Promise.all(servers.map((server) => server.kill()));
  }
}

/** Whether nobody has got anything for so long that nothing will come any more. */
function isStill(subscribers: readonly Subscriber[]): boolean {
  return subscribers.every(({ lastMs }) => Date.now() - lastMs > nothingWithinMs);
}

function endsOf(subscribers: readonly Subscriber[]): Record<string, number> {
  const ends: Record<string, number> = {};
  for (const subscriber of subscribers) {
    for (const [how, times] of subscriber.ends) ends[how] = (ends[how] ?? 0) + times;
  }
  return ends;
}

async function openServers(kafka: KafkaCluster): Promise<ServerProcess[]> {
  const ports = await freePorts(2);
  const servers = (['kafkajs', 'platformatic'] as const).map(
    (client, index) =>
      new ServerProcess({
        ...serviceSettings(kafka, ports[index] ?? 0, client),
        MILLRACE_TOPICS_DEFAULTS_LATENESS: '1s',
        // Nobody looks at it who would have to be waited for.
        MILLRACE_SHUTDOWN_READY_DELAY: '0',
        // Little, so that much of it is read from Kafka, and that clients are soon too slow.
        MILLRACE_FEEDS_HISTORY_BYTES: '1MiB',
        MILLRACE_LIMITS_OUTBOUND_BYTES_PER_CONNECTION: '64KiB',
      }),
  );
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}
