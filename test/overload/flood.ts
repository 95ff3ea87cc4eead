import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../scripts/kafka/ports.ts';
import { testTenants } from '../support/kafka.ts';
import { ServerProcess } from '../support/server-process.ts';
import { Crowd } from './crowd.ts';
import { Flooding } from './flooding.ts';
import { NumberedEvents } from './numbered-events.ts';
import { clientSettings, login, openTopic, type OverloadOptions } from './setting.ts';

export interface FloodOptions extends OverloadOptions {
  /** How often the flood comes and goes. */
  readonly rounds: number;
  /** How long each state of a round lasts. */
  readonly seconds: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** From an event's being sent to its being received, of the tenant that is no flood, in milliseconds. */
export interface Lags {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly events: number;
}

export interface FloodFigures {
  readonly idle: Lags;
  readonly flooded: Lags;
  /** While the flood is written, but none of its clients is there: what it costs Kafka and the machine. */
  readonly written: Lags;
  /** Events that the flooding tenant's clients got in a second, over all of them, since the flood began. */
  readonly floodPerSecond: number;
  /** Of both: what was not the next after what came before. */
  readonly anomalies: number;
  /** Of the clients of the one that is no flood. */
  readonly disconnected: number;
}

const [, globex] = testTenants.projects;
const quietClients = 20;
/** Until the server and the clients are warm, and what was left of a state is gone. */
const settlingMs = 2_000;

/**
 * One tenant's topic is written to without end, before `clients` of its own; another tenant goes on as ever. The flood
 * comes and goes, so that whatever else the machine does weighs on both alike.
 */
export async function flood(options: FloodOptions): Promise<FloodFigures> {
  const { kafka, clients, rounds, seconds, settings = {}, log } = options;
  const [loud, quiet] = [await openTopic(kafka), await openTopic(kafka, globex.id)];
  const [port = 0] = await freePorts(1);
  const server = new ServerProcess(
    {
      ...clientSettings(kafka, port),
      // Who has left costs nothing.
      MILLRACE_FEEDS_LINGER: '0s',
      ...settings,
    },
    // As `npm start`, the image and the unit have it.
    { nodeOptions: ['--max-semi-space-size=128'] },
  );
  let lags: number[] = [];
  const crowd = new Crowd({
    url: server.url,
    login: { projectId: globex.id, key: globex.keys[0] },
    topic: quiet.name,
    clients: quietClients,
    onEvent: (agoMs) => lags.push(agoMs),
  });
  const flooding = new Flooding({
    coordinates: kafka.coordinates,
    url: server.url,
    login,
    topic: loud.name,
    kafkaTopic: loud.kafkaTopic,
    clients,
    // 5 MB a second of it, for each of its clients.
    flow: { eventsPerTurn: 100, everyMs: 20, paddingBytes: 1_000 },
  });
  const small = { eventsPerTurn: 1, everyMs: 10, paddingBytes: 0 };
  const events = new NumberedEvents(kafka, quiet.kafkaTopic, small);
  const measure = async (): Promise<number[]> => {
    await sleep(settlingMs);
    lags = [];
    await sleep(seconds * 1_000);
    return lags;
  };
  const idle: number[] = [];
  const flooded: number[] = [];
  let [got, gotInMs] = [0, 0];
  try {
    await server.start();
    await crowd.connect();
    if (crowd.live.length < quietClients) throw new Error(JSON.stringify(crowd.refusals));
    for (let round = 1; round <= rounds; round += 1) {
      await flooding.become('rest');
      const before = await measure();
      // From the beginning: what clients were slow to take counts for the time when it was sent.
      const [{ received }, fromMs] = [flooding.last, performance.now()];
      await flooding.become('flood');
      const during = await measure();
      got += flooding.last.received - received;
      gotInMs += performance.now() - fromMs;
      idle.push(...before);
      flooded.push(...during);
      log(`round ${round}: ${JSON.stringify({ idle: lagsOf(before), flooded: lagsOf(during) })}`);
    }
    await flooding.become('write');
    const written = await measure();
    return {
      idle: lagsOf(idle),
      flooded: lagsOf(flooded),
      written: lagsOf(written),
      floodPerSecond: Math.round((got / gotInMs) * 1_000),
      anomalies: crowd.anomalies + flooding.last.anomalies,
      disconnected: quietClients - crowd.live.length,
    };
  } finally {
    await flooding.end();
    await events.end();
    crowd.leave();
    await server.kill();
    for (const { kafkaTopic } of [loud, quiet]) await kafka.deleteTopic(kafkaTopic);
  }
}

function lagsOf(lags: readonly number[]): Lags {
  const sorted = lags.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Infinity;
  return { p50Ms: at(0.5), p99Ms: at(0.99), events: Math.round(sorted.length / quietClients) };
}
