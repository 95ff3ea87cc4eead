import { freePorts } from '../../scripts/kafka/ports.ts';
import { type ProcessOptions, ServerProcess } from '../support/server-process.ts';
import { Crowd } from './crowd.ts';
import { NumberedEvents } from './numbered-events.ts';
import { clientSettings, login, openTopic, type OverloadOptions } from './setting.ts';

/** How often those come who were refused once. */
const attempts = 3;

export interface ShedOptions extends OverloadOptions {
  /** What makes the server small. */
  readonly process: ProcessOptions;
  /** @default 20: a server that has few descriptors can tell few at a time that it is full */
  readonly handshakesAtOnce?: number;
}

export interface ShedFigures {
  readonly admitted: number;
  /** In which words how many were turned away. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Of those, how many were not told why. */
  readonly unclear: number;
  /** What `/health/live` and `/health/ready` answer while it is full. */
  readonly health: readonly number[];
  /** After half of those admitted have left, how many others were let in. */
  readonly admittedLater: number;
  readonly anomalies: number;
  readonly isRunning: boolean;
}

/** More clients come than the server can have; later some leave, and others get in. */
export async function shed(options: ShedOptions): Promise<ShedFigures> {
  const { kafka, clients, handshakesAtOnce = 20, log } = options;
  const { name, kafkaTopic } = await openTopic(kafka);
  const [port = 0] = await freePorts(1);
  const server = new ServerProcess(clientSettings(kafka, port), options.process);
  const crowd = new Crowd({ url: server.url, login, topic: name, clients, handshakesAtOnce });
  const events = new NumberedEvents(kafka, kafkaTopic, {
    eventsPerTurn: 1,
    everyMs: 500,
    paddingBytes: 0,
  });
  try {
    await server.start();
    await crowd.connect();
    const admitted = crowd.live.length;
    const { refusals } = crowd;
    const unclear = Object.entries(refusals)
      .filter(([why]) => !isClear(why))
      .reduce((sum, [, count]) => sum + count, 0);
    log(`${admitted} of ${clients} are let in; the others: ${JSON.stringify(refusals)}`);
    await crowd.untilLiveHave(events.last + 1);
    const health = await Promise.all(['live', 'ready'].map((path) => statusOf(server.url, path)));
    for (const member of crowd.live.slice(0, Math.ceil(admitted / 2))) member.leave();
    const others = crowd.members.filter(({ refusal }) => refusal !== undefined);
    const next = others.slice(0, Math.floor(admitted / 4));
    // As they are told: whoever comes before the server has seen the others leave comes again.
    for (let attempt = 0; attempt < attempts; attempt++) {
      await crowd.connect(next.filter(({ state }) => state === 'away'));
    }
    await crowd.untilLiveHave(events.last + 1);
    return {
      admitted,
      refusals,
      unclear,
      health,
      admittedLater: next.filter(({ state }) => state === 'live').length,
      anomalies: crowd.anomalies,
      isRunning: server.isRunning,
    };
  } finally {
    crowd.leave();
    await events.end();
    await server.kill();
    await kafka.deleteTopic(kafkaTopic);
  }
}

/** A status or a close code that says to come again later, with the limit as its reason. */
function isClear(refusal: string): boolean {
  return /^(HTTP (429|503) LIMIT_EXCEEDED|close 1013 .|error LIMIT_EXCEEDED)/.test(refusal);
}

async function statusOf(url: string, path: string): Promise<number> {
  try {
    const { status } = await fetch(`${url}/health/${path}`, { signal: AbortSignal.timeout(5_000) });
    return status;
  } catch {
    // No answer is an answer, too.
    return 0;
  }
}
