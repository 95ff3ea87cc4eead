import { batches, filters, plain, selections } from './operations.ts';
import type { Load, Scenario, Target, Variant } from './scenario.ts';
import type { ContestantName } from './servers/contestant.ts';

const onePerTurn = { turnsPerSecond: 20, eventsPerTurn: 1 } as const;
const tenPerTurn = { turnsPerSecond: 5, eventsPerTurn: 10 } as const;
const paces = [onePerTurn, tenPerTurn] as const;

/** 500 subscribers with a connection each. */
const subscribers = {
  kind: 'events',
  protocol: 'graphql-ws',
  connections: 500,
  subscriptions: 500,
  operations: [plain],
  matches: 'all',
} as const;

function variant(contestant: ContestantName, load: Load, label: string = contestant): Variant {
  return { label, contestant, load };
}

/** All servers under one load, and Millrace's latency against the floor's. */
function fourAlike(pace: typeof onePerTurn | typeof tenPerTurn, targets: Target[]): Scenario {
  const load = { ...subscribers, ...pace };
  return {
    variants: [
      variant('millrace', load),
      variant('floor', load),
      variant('ws-send', load),
      variant('naive', load),
    ],
    targets: [
      ...targets,
      { figure: 'p50Ms', of: 'millrace', to: 'floor', atMost: 1.25 },
      { figure: 'p99Ms', of: 'millrace', to: 'floor', atMost: 1.5 },
    ],
  };
}

/** More subscribers get fewer turns, so that a server which needs 50 us a delivery keeps up. */
function byNumber(count: number): Variant[] {
  const load = { ...subscribers, connections: count, subscriptions: count };
  const one = { ...onePerTurn, turnsPerSecond: Math.min(20, 10_000 / count) };
  const ten = { ...tenPerTurn, turnsPerSecond: Math.min(5, 2_000 / count) };
  return (['millrace', 'floor', 'naive'] as const).flatMap((contestant) => [
    variant(contestant, { ...load, ...one }, `${contestant} ${count} x 1`),
    variant(contestant, { ...load, ...ten }, `${contestant} ${count} x 10`),
  ]);
}

/** Each event passes one filter, however many there are. */
function byFilters(contestant: ContestantName, count: number): Variant {
  const load: Load = {
    ...subscribers,
    connections: Math.min(20, count),
    subscriptions: count,
    operations: filters(count),
    turnsPerSecond: 100,
    eventsPerTurn: 1,
    matches: 'one',
  };
  return variant(contestant, load, `${contestant} ${count}`);
}

function thousand(contestant: ContestantName, stalledBeside: boolean): Variant {
  const load = { ...subscribers, ...tenPerTurn, connections: 1_000, subscriptions: 1_000 };
  const label = `${contestant} ${stalledBeside ? 'beside one that stalls' : 'alone'}`;
  return variant(contestant, { ...load, stalledBeside }, label);
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  /** 2,000 subscribers with one process and with two: how soon the last of them has an event. */
  workers: {
    variants: (['millrace', 'millrace-2'] as const).map((contestant) =>
      variant(contestant, {
        ...subscribers,
        ...onePerTurn,
        turnsPerSecond: 10,
        connections: 2_000,
        subscriptions: 2_000,
      }),
    ),
    targets: [
      { figure: 'p50Ms', of: 'millrace-2', to: 'millrace', atMost: 0.8 },
      { figure: 'p99Ms', of: 'millrace-2', to: 'millrace', atMost: 0.8 },
    ],
  },

  /** 20 events a second, each in an answer of Kafka of its own. */
  'one-per-turn': fourAlike(onePerTurn, [
    { figure: 'cpuUsPerDelivery', of: 'millrace', to: 'floor', atMost: 1.25 },
    { figure: 'cpuUsPerDelivery', of: 'millrace', to: 'naive', atMost: 0.4 },
  ]),

  /** 50 events a second, ten in one answer. */
  'ten-per-turn': fourAlike(tenPerTurn, [
    { figure: 'cpuUsPerDelivery', of: 'millrace', to: 'floor', atMost: 1.5 },
    { figure: 'cpuUsPerDelivery', of: 'millrace', to: 'naive', atMost: 0.15 },
  ]),

  /** Batches of ten events, which come in one turn or one by one; a delivery is an event. */
  batches: {
    variants: [
      variant(
        'millrace',
        { ...subscribers, ...tenPerTurn, operations: [batches(50)] },
        'millrace x 10',
      ),
      variant('floor', { ...subscribers, ...tenPerTurn }, 'floor x 10'),
      variant(
        'millrace',
        { ...subscribers, ...onePerTurn, operations: [batches(1_000)] },
        'millrace x 1',
      ),
      variant('floor', { ...subscribers, ...onePerTurn }, 'floor x 1'),
    ],
    targets: [
      { figure: 'cpuUsPerDelivery', of: 'millrace x 10', to: 'floor x 10', atMost: 0.8 },
      { figure: 'cpuUsPerDelivery', of: 'millrace x 1', to: 'floor x 1', atMost: 0.8 },
    ],
  },

  /** Ten times as much, which saturates a server that needs more than 4 us for a delivery. */
  throughput: {
    variants: (['millrace', 'floor', 'ws-send'] as const).map((contestant) =>
      variant(contestant, { ...subscribers, ...tenPerTurn, turnsPerSecond: 50 }),
    ),
    targets: [{ figure: 'cpuUsPerDelivery', of: 'millrace', to: 'floor', atMost: 1.5 }],
  },

  /** 1 to 5,000 subscribers. */
  subscribers: {
    variants: [1, 100, 1_000, 5_000].flatMap(byNumber),
    targets: [100, 1_000, 5_000].flatMap((count) => [
      {
        figure: 'cpuUsPerDelivery',
        of: `millrace ${count} x 1`,
        to: `floor ${count} x 1`,
        atMost: 1.25,
      },
      {
        figure: 'cpuUsPerDelivery',
        of: `millrace ${count} x 10`,
        to: `floor ${count} x 10`,
        atMost: 1.5,
      },
    ]),
  },

  /** 500 subscribers with one selection, and with 100. */
  selections: {
    variants: paces.flatMap((pace) => {
      const load = { ...subscribers, ...pace };
      const of = (count: number): Load => ({ ...load, operations: selections(count) });
      return [
        variant('millrace', of(1), `1 selection x ${pace.eventsPerTurn}`),
        variant('millrace', of(100), `100 selections x ${pace.eventsPerTurn}`),
      ];
    }),
    targets: [],
  },

  /** Filters on 20 sockets. */
  filters: {
    variants: [
      ...[1, 20, 1_000, 20_000].map((count) => byFilters('millrace', count)),
      byFilters('naive', 20),
      byFilters('naive', 1_000),
    ],
    targets: [{ figure: 'cpuUsPerEvent', of: 'millrace 20000', to: 'millrace 20', atMost: 2 }],
  },

  /** A thousand sockets alone, and beside one that does not read. */
  stalled: {
    // Not the naive stack, which this is nearly too much for already.
    variants: (['millrace', 'floor'] as const).flatMap((contestant) => [
      thousand(contestant, false),
      thousand(contestant, true),
    ]),
    targets: (['p99Ms', 'usedMiB'] as const).map((figure) => ({
      figure,
      of: 'millrace beside one that stalls',
      to: 'millrace alone',
      atMost: figure === 'p99Ms' ? 1.2 : 1.25,
    })),
  },

  memory: {
    variants: [
      {
        label: 'millrace',
        contestant: 'millrace',
        load: {
          kind: 'memory',
          connections: 2_000,
          moreSubscriptions: 100,
          operations: [plain],
        },
      },
      {
        label: 'bare-ws',
        contestant: 'bare-ws',
        load: { kind: 'memory', connections: 2_000, moreSubscriptions: 0, operations: [plain] },
      },
      {
        label: 'naive',
        contestant: 'naive',
        load: { kind: 'memory', connections: 2_000, moreSubscriptions: 100, operations: [plain] },
      },
    ],
    targets: [
      { figure: 'bytesPerConnection', of: 'millrace', to: 'bare-ws', atMost: 1.5 },
      { figure: 'residentBytesPerConnection', of: 'millrace', to: 'bare-ws', atMost: 1.5 },
      { figure: 'bytesPerSubscription', of: 'millrace', atMost: 3 * 1_024 },
    ],
  },

  /** 500 subscribers over each of Millrace's transports; plain feeds against GraphQL over the same. */
  transports: {
    variants: paces.flatMap((pace) =>
      (['graphql-ws', 'feed', 'graphql-sse', 'feed-sse'] as const).map((protocol) =>
        variant(
          'millrace',
          { ...subscribers, ...pace, protocol },
          `${protocol} x ${pace.eventsPerTurn}`,
        ),
      ),
    ),
    targets: paces.flatMap(({ eventsPerTurn }) => [
      {
        figure: 'cpuUsPerDelivery',
        of: `feed x ${eventsPerTurn}`,
        to: `graphql-ws x ${eventsPerTurn}`,
        atMost: 1.1,
      },
      {
        figure: 'cpuUsPerDelivery',
        of: `feed-sse x ${eventsPerTurn}`,
        to: `graphql-sse x ${eventsPerTurn}`,
        atMost: 1.1,
      },
    ]),
  },
};
