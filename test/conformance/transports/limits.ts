import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { metricsOf } from '../../support/metrics.ts';
import { feedIs } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { eventRecord } from './records.ts';
import type { Reception } from './reception.ts';
import { reader, type Scenario, type Stage, type Topic } from './stage.ts';
import type { Ending, Transport } from './transport.ts';

/** A limit of which a project may have one. */
interface PerProjectLimit {
  readonly setting: string;
  readonly variable: string;
}

const perProject: readonly PerProjectLimit[] = [
  {
    setting: 'limits.subscriptionsPerProject',
    variable: 'MILLRACE_LIMITS_SUBSCRIPTIONS_PER_PROJECT',
  },
  {
    setting: 'limits.connectionsPerProject',
    variable: 'MILLRACE_LIMITS_CONNECTIONS_PER_PROJECT',
  },
];

const other = { projectId: 'globex', key: 'globex-read' } as const;
/** What a project may be sent in a second, and what it is sent. */
const bandwidth = { perSecond: 131_072, events: 40, bytes: 8_000 } as const;

export const limitScenarios: readonly Scenario[] = [
  ...perProject.map(
    ({ setting, variable }): Scenario => ({
      title: `over ${setting} a project is refused with LIMIT_EXCEEDED, and no other project`,
      async play(t, open, transport) {
        const stage = await open(t, { [variable]: '1' });
        const [ours, theirs] = [
          await stage.createTopic('acme', 'purchases'),
          await stage.createTopic('globex', 'purchases'),
        ];
        const first = subscribe(t, stage, transport, ours);
        await feedIs(stage.server, ours.kafkaTopic);
        assertOver(await subscribe(t, stage, transport, ours).ended, setting);
        subscribe(t, stage, transport, theirs, other);
        await feedIs(stage.server, theirs.kafkaTopic);
        await assertCounted(stage, setting);

        first.stop();
        await feedIs(stage.server, ours.kafkaTopic, { subscribers: 0 });
        await until('the place to be free', async () => {
          const next = subscribe(t, stage, transport, ours);
          const ending = await Promise.race([next.ended, isServed(stage, ours)]);
          return ending === undefined;
        });
      },
    }),
  ),
  {
    title: 'over limits.connections new ones are refused with 503, what operators ask for is not',
    async play(t, open, transport) {
      const stage = await open(t, { MILLRACE_LIMITS_CONNECTIONS: '1' });
      const topic = await stage.createTopic('acme', 'purchases');
      const first = subscribe(t, stage, transport, topic);
      await feedIs(stage.server, topic.kafkaTopic);
      const { code, message, status } = await subscribe(t, stage, transport, topic).ended;
      if (status === undefined) {
        assert.match(message, /503/);
      } else {
        assert.equal(status, 503);
        assert.equal(code, 'LIMIT_EXCEEDED');
        assert.match(message, /limits\.connections/);
      }
      await assertCounted(stage, 'limits.connections');
      const { status: live } = await fetch(`${stage.server.url}/health/live`);
      assert.equal(live, 200);
      await stage.record(topic, [eventRecord({ id: 'a' })]);
      await first.atLeast(1);
    },
  },
  {
    title: 'over limits.bytesPerSecondPerProject a project waits and loses nothing',
    async play(t, open, transport) {
      const stage = await open(t, {
        MILLRACE_LIMITS_BYTES_PER_SECOND_PER_PROJECT: String(bandwidth.perSecond),
        MILLRACE_LIMITS_OUTBOUND_BYTES_PER_CONNECTION: '64KiB',
      });
      const [ours, theirs] = [
        await stage.createTopic('acme', 'purchases'),
        await stage.createTopic('globex', 'purchases'),
      ];
      const receptions = [1, 2].map(() => subscribe(t, stage, transport, ours));
      const neighbour = subscribe(t, stage, transport, theirs, other);
      await feedIs(stage.server, ours.kafkaTopic, { subscribers: 2 });
      await feedIs(stage.server, theirs.kafkaTopic);
      const filler = 'x'.repeat(bandwidth.bytes);
      const ids = Array.from({ length: bandwidth.events }, (_, index) => `e${index}`);
      // Five seconds' worth is under way for both together, within no time.
      const ahead = await stage.clock.during(async () => {
        for (const [index, id] of ids.entries()) {
          await stage.record(ours, [eventRecord({ id, more: { filler } })]);
          await until('it to be read, in a turn of its own', () => readOf(stage, ours) > index);
        }
        await stage.record(theirs, [eventRecord({ id: 'n' })]);
        await neighbour.atLeast(1);
        return receptions.reduce((sum, { items }) => sum + items.length, 0);
      });
      assert.ok(ahead < 2 * bandwidth.events, `${ahead} had come`);
      await Promise.all(receptions.map((received) => received.atLeast(bandwidth.events)));
      for (const { items } of receptions) {
        assert.deepEqual(
          items.map(({ id }) => id),
          ids,
        );
      }
      const series = await metricsOf(stage.server.url);
      assert.ok((series.get('millrace_slow_moves_total') ?? 0) > 0);
      const sent = series.get('millrace_project_bytes_sent_total{project="acme"}') ?? 0;
      assert.ok(sent >= 2 * bandwidth.events * bandwidth.bytes);
    },
  },
];

function subscribe(
  t: TestContext,
  { server }: Stage,
  transport: Transport,
  topic: Topic,
  login: { readonly projectId: string; readonly key: string } = reader,
): Reception {
  return transport.subscribe(t, server.url, login, {
    holds: 'events',
    topic: topic.name,
    arguments: { order: 'ARRIVAL' },
  });
}

/** Records of the topic that its feed has read. */
function readOf({ server }: Stage, { kafkaTopic }: Topic): number {
  for (const feed of server.hub.registry.feeds()) {
    if (feed.kafkaTopic === kafkaTopic && !feed.isOfPast) return feed.counts.received;
  }
  return 0;
}

/** Resolves when somebody is subscribed. */
function isServed({ server }: Stage, topic: Topic): Promise<undefined> {
  return feedIs(server, topic.kafkaTopic).then(() => undefined);
}

function assertOver({ code, closeCode, status, message }: Ending, setting: string): void {
  assert.match(message, new RegExp(`${setting.replace('.', '\\.')}\\)`));
  if (code !== undefined) assert.equal(code, 'LIMIT_EXCEEDED');
  // One of them tells a client that it may come back.
  else assert.equal(closeCode, 1013);
  if (closeCode !== undefined) assert.equal(closeCode, 1013);
  if (status !== undefined) assert.equal(status, 429);
}

async function assertCounted({ server }: Stage, limit: string): Promise<void> {
  const series = await metricsOf(server.url);
  assert.equal(series.get(`millrace_limits_hit_total{limit="${limit}"}`), 1);
}
