import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../scripts/kafka/ports.ts';
import { ServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { recentConnections } from './broker-connections.ts';
import { Crowd } from './crowd.ts';
import { NumberedEvents } from './numbered-events.ts';
import { clientSettings, login, openTopic, type OverloadOptions } from './setting.ts';

export interface StormFigures {
  readonly clients: number;
  /** From when the server accepts connections again until the last one has an event. */
  readonly allBackMs: number;
  /** To the broker, since the server was started again. */
  readonly logins: number;
  /** Events that were lost or came twice, over all clients. */
  readonly anomalies: number;
}

/** A server is killed under its clients, who all come back at once as soon as it is there again. */
export async function storm({ kafka, clients, log }: OverloadOptions): Promise<StormFigures> {
  const { name, kafkaTopic } = await openTopic(kafka);
  const [port = 0] = await freePorts(1);
  const server = new ServerProcess(clientSettings(kafka, port));
  const [broker = ''] = kafka.bootstrap('saslPlaintext');
  const crowd = new Crowd({ url: server.url, login, topic: name, clients, handshakesAtOnce: 500 });
  const events = new NumberedEvents(kafka, kafkaTopic, {
    eventsPerTurn: 1,
    everyMs: 1_000,
    paddingBytes: 0,
  });
  const ended = new AbortController();
  try {
    await server.start();
    await crowd.connect();
    log(`${crowd.live.length} of ${clients} are there`);
    await crowd.untilLiveHave(events.last + 1);
    await server.kill();
    await until('everyone to notice', () => crowd.live.length === 0);
    const before = recentConnections(broker);
    const returning = crowd.keepComingBack(ended.signal);
    await sleep(2_000);
    await server.start();
    const startedAtMs = performance.now();
    await until('everyone to be back', () => crowd.live.length === clients, 120_000);
    const allBackMs = Math.round(performance.now() - startedAtMs);
    const logins = [...recentConnections(broker)].filter((one) => !before.has(one)).length;
    await crowd.untilLiveHave(events.last + 1);
    ended.abort();
    await returning;
    return { clients, allBackMs, logins, anomalies: crowd.anomalies };
  } finally {
    ended.abort();
    crowd.leave();
    await events.end();
    await server.kill();
    await kafka.deleteTopic(kafkaTopic);
  }
}
