import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import type { Dice } from '../model/dice.ts';
import type { Load } from './load.ts';
import type { ServerProcess } from '../support/server-process.ts';
import type { Subscriber } from './subscriber.ts';

const slowMoves = 'millrace_slow_moves_total';

/** What is broken. */
export interface Scene {
  readonly kafka: KafkaCluster;
  readonly servers: readonly ServerProcess[];
  readonly subscribers: readonly Subscriber[];
  readonly loads: readonly { readonly kafkaTopic: string; readonly load: Load }[];
  readonly dice: Dice;
  /** How often servers dropped what waited for a slow client, as far as it was asked for. */
  slowMoves: number;
}

export type FaultName = keyof typeof faults;

/** Each breaks something and mends it again. */
export const faults = {
  async 'leader killed'({ kafka, loads, dice }: Scene): Promise<void> {
    const topic = pick(loads, dice).kafkaTopic;
    const leader = await kafka.leader(topic, 0);
    await kafka.killNode(leader);
    await sleep(2_000 + dice.below(3_000));
    await kafka.startNode(leader);
  },
  async 'broker restarted'({ kafka, dice }: Scene): Promise<void> {
    const node = pick(kafka.nodeIds, dice);
    await kafka.stopNode(node);
    await kafka.startNode(node);
  },
  async 'broker frozen'({ kafka, dice }: Scene): Promise<void> {
    const node = pick(kafka.nodeIds, dice);
    await kafka.pauseNode(node);
    await sleep(6_000 + dice.below(3_000));
    kafka.resumeNode(node);
  },
  async 'server killed'({ servers, dice }: Scene): Promise<void> {
    const server = pick(servers, dice);
    await server.kill();
    await sleep(dice.below(1_500));
    await server.start();
  },
  async 'server terminated'({ servers, dice }: Scene): Promise<void> {
    const server = pick(servers, dice);
    await server.terminate();
    await server.start();
  },
  async 'rolling restart'({ servers }: Scene): Promise<void> {
    for (const server of servers) {
      await server.terminate();
      await server.start();
    }
  },
  async 'slow clients'(scene: Scene): Promise<void> {
    const { subscribers, servers, loads, dice } = scene;
    const { kafkaTopic, load } = pick(loads, dice);
    const usual = load.padBytes;
    // More than the system's own buffers take, so that servers have to drop what waits.
    load.padBytes = 50_000;
    for (const subscriber of subscribers) {
      if (subscriber.topic.kafkaTopic === kafkaTopic && dice.oneIn(2)) subscriber.stall(5_000);
    }
    await sleep(4_000);
    load.padBytes = usual;
    for (const server of servers) scene.slowMoves += await server.metric(slowMoves);
  },
  async 'all connections cut'({ subscribers }: Scene): Promise<void> {
    for (const subscriber of subscribers) subscriber.cut();
    await sleep(1_000);
  },
  async 'partitions added'({ kafka, loads, dice }: Scene): Promise<void> {
    const { kafkaTopic, load } = pick(loads, dice);
    const total = load.partitions + 1;
    await kafka.addPartitions(kafkaTopic, total);
    load.partitions = total;
  },
} as const satisfies Record<string, (scene: Scene) => Promise<void>>;

/** Small ones, all the time: connections that are cut and that stall. @returns when `ended` is given */
export async function pester({ subscribers, dice }: Scene, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await sleep(dice.below(500));
    const subscriber = pick(subscribers, dice);
    if (dice.oneIn(2)) subscriber.cut();
    else subscriber.stall(500 + dice.below(6_000));
  }
}

export function pick<T>(all: readonly T[], dice: Dice): T {
  const one = all[dice.below(all.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}
