import type { Received } from './client/tally.ts';
import { cpuUs, residentBytes } from './kernel.ts';
import { knock } from './knock.ts';
import type { Figures, Load } from './scenario.ts';
import type { Contestant } from './servers/contestant.ts';
import type { Stage } from './stage.ts';

/** Length of a message, see `event.ts`. */
const messageBytes = 440;
/**
 * For the compiler, the events before the measured ones: after so many turns a server costs what it will
 * go on to cost (it is a third more at first), if they are not more than that many deliveries.
 */
const warmUp = {
  turns: 100,
  turnsPerSecond: 20,
  deliveries: 500_000,
  deliveriesPerSecond: 100_000,
};
/** How long a server that has fallen behind may take for the rest. */
const patienceMs = 40_000;
/** Of the connection that stalls: some 60 MB in 10 s, which no buffer of the system takes. */
const stalledSubscriptions = 300;

/** Warms the server up, then measures it while events are sent for so many seconds. */
export async function runEvents(
  stage: Stage,
  server: Contestant,
  load: Load,
  seconds: number,
): Promise<Figures> {
  const { client } = stage;
  const { connections, subscriptions, operations } = load;
  await client.call('open', load.protocol, server.port, connections);
  await client.call('subscribe', { operations, subscriptions, firstConnection: 0, connections });
  if (load.stalledBeside === true) {
    await client.call('open', load.protocol, server.port, 1);
    await client.call('subscribe', {
      operations,
      subscriptions: stalledSubscriptions,
      firstConnection: connections,
      connections: 1,
    });
  }
  await knock(stage, subscriptions, usersOf(load));
  await volley(stage, ...warmUpOf(load));
  if (load.stalledBeside === true) await client.call('stall', connections);

  const serverBeforeUs = cpuUs(server.pid);
  const clientBeforeUs = cpuUs(stage.clientPid);
  const startMs = performance.now();
  await server.probe.call('beginDelay');
  const { events, expected, received } = await volley(stage, load, seconds);
  const serverUs = cpuUs(server.pid) - serverBeforeUs;
  const clientUs = cpuUs(stage.clientPid) - clientBeforeUs;
  const tookUs = (performance.now() - startMs) * 1_000;
  const delay = await server.probe.call('endDelay');
  const resident = residentBytes(server.pid);
  const { usedBytes } = await server.probe.call('memory');
  const { deliveries, outOfPlace, silent, p50Ms, p99Ms, maxMs } = received;
  return {
    subscriptions,
    events,
    deliveries,
    missing: expected - deliveries,
    outOfPlace,
    silent: load.matches === 'all' ? silent : 0,
    messageBytes: received.messageBytes,
    deliveriesPerSecond: (deliveries * 1e6) / tookUs,
    cpuUsPerDelivery: serverUs / deliveries,
    cpuUsPerEvent: serverUs / events,
    p50Ms,
    p99Ms,
    maxMs,
    loopDelayP99Ms: delay.p99Ms,
    loopDelayMaxMs: delay.maxMs,
    usedMiB: usedBytes / 2 ** 20,
    residentMiB: resident / 2 ** 20,
    serverCpu: serverUs / tookUs,
    clientCpu: clientUs / tookUs,
  };
}

function warmUpOf(load: Load): readonly [load: Load, seconds: number] {
  const { subscriptions, eventsPerTurn, matches } = load;
  const deliveries = eventsPerTurn * (matches === 'all' ? subscriptions : 1);
  const turns = Math.min(warmUp.turns, warmUp.deliveries / deliveries);
  const most = Math.min(warmUp.turnsPerSecond, warmUp.deliveriesPerSecond / deliveries);
  const turnsPerSecond = Math.max(load.turnsPerSecond, most);
  return [{ ...load, turnsPerSecond }, Math.max(3, turns / turnsPerSecond)];
}

interface Outcome {
  readonly events: number;
  /** Deliveries. */
  readonly expected: number;
  readonly received: Received;
}

async function volley(stage: Stage, load: Load, seconds: number): Promise<Outcome> {
  const { turnsPerSecond, eventsPerTurn, subscriptions } = load;
  const number = stage.nextVolley();
  const turns = Math.max(1, Math.round(turnsPerSecond * seconds));
  const events = turns * eventsPerTurn;
  const expected = load.matches === 'all' ? events * subscriptions : events;
  await stage.client.call('expect', { volley: number, subscriptions, deliveries: expected });
  await stage.producer.call('send', {
    number,
    turns,
    turnsPerSecond,
    eventsPerTurn,
    users: usersOf(load),
    messageBytes,
  });
  return { events, expected, received: await stage.client.call('received', patienceMs) };
}

function usersOf({ matches, subscriptions }: Load): number {
  return matches === 'all' ? 1 : subscriptions;
}
