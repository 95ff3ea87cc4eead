import assert from 'node:assert/strict';
import { metricsOf } from '../../support/metrics.ts';
import { feedIs } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { eventRecord } from './records.ts';
import { reader, type Scenario } from './stage.ts';

export const metricScenarios: readonly Scenario[] = [
  {
    title: 'what is open and what is delivered is counted, by transport',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const { url } = stage.server;
      const [one, two] = [1, 2].map(() =>
        transport.subscribe(t, url, reader, {
          holds: 'events',
          topic: topic.name,
          arguments: { order: 'ARRIVAL' },
        }),
      );
      assert.ok(one && two);
      await feedIs(stage.server, topic.kafkaTopic, { subscribers: 2 });
      await stage.record(topic, [eventRecord({ id: 'a' }), eventRecord({ id: 'a' })]);
      await stage.record(topic, [eventRecord({ id: 'b' })]);
      await Promise.all([one.atLeast(2), two.atLeast(2)]);

      const label = `{transport="${transport.label}"}`;
      const series = await metricsOf(url);
      assert.equal(series.get(`millrace_connections${label}`), 2);
      assert.equal(series.get(`millrace_messages_sent_total${label}`), 4);
      assert.ok((series.get(`millrace_bytes_sent_total${label}`) ?? 0) > 4 * 20);
      assert.equal(series.get('millrace_delivery_lag_seconds_count'), 4);
      const events = `{kind="events",transport="${transport.label}"}`;
      assert.equal(series.get(`millrace_subscriptions${events}`), 2);
      assert.equal(series.get('millrace_project_connections{project="acme"}'), 2);
      assert.equal(series.get('millrace_project_subscriptions{project="acme"}'), 2);
      assert.equal(series.get('millrace_logins_total{result="ok"}'), 2);
      const feed = `{project="acme",topic="${topic.kafkaTopic}"}`;
      assert.equal(series.get(`millrace_records_received_total${feed}`), 3);
      assert.equal(series.get(`millrace_duplicates_total${feed}`), 1);
      assert.equal(series.get(`millrace_deliveries_total${feed}`), 4);
      assert.ok((series.get(`millrace_history_bytes${feed}`) ?? 0) > 2 * 100);

      one.stop();
      await until('one to be gone', async () => {
        const after = await metricsOf(url);
        return after.get(`millrace_connections${label}`) === 1;
      });
      const after = await metricsOf(url);
      assert.equal(after.get(`millrace_subscriptions${events}`), 1);
      assert.equal(after.get('millrace_project_subscriptions{project="acme"}'), 1);
    },
  },
  {
    title: 'what is read from the past is counted apart, and not as lag',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      await stage.record(topic, [eventRecord({ id: 'a' })]);
      const received = transport.subscribe(t, stage.server.url, reader, {
        holds: 'events',
        topic: topic.name,
        arguments: { order: 'ARRIVAL', since: '2020-01-01T00:00:00Z' },
      });
      await received.atLeast(1);
      const series = await metricsOf(stage.server.url);
      assert.equal(series.get(`millrace_messages_sent_total{transport="${transport.label}"}`), 1);
      assert.equal(series.get('millrace_delivery_lag_seconds_count'), 0);
    },
  },
  {
    title: 'a refusal is counted with its code',
    async play(t, open, transport) {
      const stage = await open(t);
      const { url } = stage.server;
      const request = { holds: 'events', topic: 'purchases', arguments: {} } as const;
      const wrong = { projectId: 'acme', key: 'wrong' };
      await transport.subscribe(t, url, wrong, request).ended;
      await transport.subscribe(t, url, reader, request).ended;
      const series = await metricsOf(url);
      assert.equal(series.get('millrace_logins_total{result="refused"}'), 1);
      assert.equal(series.get('millrace_refused_total{code="UNAUTHENTICATED"}'), 1);
      assert.equal(series.get('millrace_refused_total{code="TOPIC_NOT_FOUND"}'), 1);
    },
  },
];
