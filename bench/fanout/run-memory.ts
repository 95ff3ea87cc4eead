import { setTimeout as sleep } from 'node:timers/promises';
import { knock } from './knock.ts';
import type { Figures, MemoryLoad } from './scenario.ts';
import type { Contestant } from './servers/contestant.ts';
import type { Memory } from './servers/probe.ts';
import type { Stage } from './stage.ts';

/** Connections that are there before anything is measured: with the first ones come code and pools. */
const firstConnections = 200;
const subscribers = 100;
/** For what a server puts off. */
const settleMs = 1_000;

/** Differences of memory after garbage collection, for each connection and each subscription. */
export async function runMemory(
  stage: Stage,
  server: Contestant,
  load: MemoryLoad,
): Promise<Figures> {
  const { client } = stage;
  const { connections, operations, moreSubscriptions } = load;
  await client.call('open', 'graphql-ws', server.port, firstConnections);
  const before = await settled(server);
  await client.call('open', 'graphql-ws', server.port, connections);
  const opened = await settled(server);
  const perConnection = {
    bytesPerConnection: (opened.usedBytes - before.usedBytes) / connections,
    residentBytesPerConnection: (opened.residentBytes - before.residentBytes) / connections,
  };
  if (moreSubscriptions === 0) return perConnection;

  const over = { operations, firstConnection: 0, connections: subscribers };
  await client.call('subscribe', { ...over, subscriptions: subscribers });
  await knock(stage, subscribers);
  const subscribed = await settled(server);
  const more = subscribers * moreSubscriptions;
  await client.call('subscribe', { ...over, subscriptions: more });
  await knock(stage, subscribers + more);
  const full = await settled(server);
  return {
    ...perConnection,
    bytesPerSubscription: (full.usedBytes - subscribed.usedBytes) / more,
    residentBytesPerSubscription: (full.residentBytes - subscribed.residentBytes) / more,
  };
}

async function settled(server: Contestant): Promise<Memory> {
  await sleep(settleMs);
  return server.probe.call('memory');
}
