import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../scripts/kafka/ports.ts';
import { testTenants } from '../support/kafka.ts';
import { ServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { Crowd } from './crowd.ts';
import { NumberedEvents } from './numbered-events.ts';
import { clientSettings, login, openTopic, type OverloadOptions } from './setting.ts';

export interface FloodOptions extends OverloadOptions {
  readonly seconds: number;
  readonly settings?: Readonly<Record<string, string>>;
}

export interface FloodFigures {
  /** From being sent to being received, of the tenant that is no flood, in milliseconds. */
  readonly idleP50Ms: number;
  readonly idleP99Ms: number;
  readonly floodedP50Ms: number;
  readonly floodedP99Ms: number;
  /** While the flood is written, but none of its clients is there: what it costs Kafka and the machine. */
  readonly writtenP50Ms: number;
  readonly writtenP99Ms: number;
  /** Events that the flooding tenant's clients got in a second, over all of them. */
  readonly floodPerSecond: number;
  /** Of the other one. */
  readonly anomalies: number;
}

const [, globex] = testTenants.projects;
const quietClients = 20;

/** One tenant's topic is written to without end, before `clients` of its own; another tenant goes on as ever. */
export async function flood(options: FloodOptions): Promise<FloodFigures> {
  const { kafka, clients, seconds, settings = {}, log } = options;
  const [loud, quiet] = [await openTopic(kafka), await openTopic(kafka, globex.id)];
  const [port = 0] = await freePorts(1);
  const server = new ServerProcess({
    ...clientSettings(kafka, port),
    // Who has left costs nothing.
    MILLRACE_FEEDS_LINGER: '0s',
    ...settings,
  });
  let lags: number[] = [];
  let received = 0;
  const loudCrowd = new Crowd({
    url: server.url,
    login,
    topic: loud.name,
    clients,
    onEvent: () => {
      received += 1;
    },
  });
  const quietCrowd = new Crowd({
    url: server.url,
    login: { projectId: globex.id, key: globex.keys[0] },
    topic: quiet.name,
    clients: quietClients,
    onEvent: (agoMs) => lags.push(agoMs),
  });
  const small = { eventsPerTurn: 1, everyMs: 50, paddingBytes: 0 };
  // 5 MB a second of it, for each of its clients.
  const large = { eventsPerTurn: 100, everyMs: 20, paddingBytes: 1_000 };
  const running = [new NumberedEvents(kafka, quiet.kafkaTopic, small)];
  const percentilesOf = async (): Promise<[p50: number, p99: number]> => {
    lags = [];
    await sleep(seconds * 1_000);
    lags.sort((a, b) => a - b);
    const at = (share: number): number => lags[Math.floor(lags.length * share)] ?? Infinity;
    return [at(0.5), at(0.99)];
  };
  const ended = new AbortController();
  try {
    await server.start();
    const trickle = new NumberedEvents(kafka, loud.kafkaTopic, small);
    await Promise.all([loudCrowd.connect(), quietCrowd.connect()]);
    await trickle.end();
    await sleep(1_000);
    const [idleP50Ms, idleP99Ms] = await percentilesOf();
    log(`idle: p50 ${idleP50Ms} ms, p99 ${idleP99Ms} ms`);
    running.push(new NumberedEvents(kafka, loud.kafkaTopic, large));
    const returning = loudCrowd.keepComingBack(ended.signal);
    received = 0;
    await until('the flood to come', () => received > clients);
    received = 0;
    const [floodedP50Ms, floodedP99Ms] = await percentilesOf();
    ended.abort();
    await returning;
    const floodPerSecond = Math.round(received / seconds);
    loudCrowd.leave();
    await sleep(1_000);
    const [writtenP50Ms, writtenP99Ms] = await percentilesOf();
    return {
      idleP50Ms,
      idleP99Ms,
      floodedP50Ms,
      floodedP99Ms,
      writtenP50Ms,
      writtenP99Ms,
      floodPerSecond,
      anomalies: quietCrowd.anomalies,
    };
  } finally {
    ended.abort();
    for (const events of running) await events.end();
    loudCrowd.leave();
    quietCrowd.leave();
    await server.kill();
    for (const { kafkaTopic } of [loud, quiet]) await kafka.deleteTopic(kafkaTopic);
  }
}
