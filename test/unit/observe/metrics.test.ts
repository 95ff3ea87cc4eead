import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LabelSets } from '../../../src/observe/label-sets.ts';
import { metricTable } from '../../../src/observe/metric-table.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { seriesOf } from '../../support/metrics.ts';

/** Everything that a server may show, by its family. */
const text = await new Metrics().text();
const families: ReadonlySet<string> = new Set(
  [...text.matchAll(/^# TYPE (\S+) /gm)].flatMap(([, name = '']) => name),
);

function read(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
}

/** Whether a name in a query is that of a series which a family has. */
function isShown(name: string): boolean {
  return families.has(name) || families.has(name.replace(/_(bucket|sum|count)$/, ''));
}

test('what is shown is the table, and what prom-client tells of the process', () => {
  const own = [...families].filter((name) => !/^(process|nodejs)_/.test(name));
  assert.deepEqual(own.toSorted(), Object.keys(metricTable).toSorted());
  assert.ok(families.has('process_cpu_seconds_total'));
});

test('names follow the conventions of Prometheus', () => {
  for (const [name, { type, unit }] of Object.entries(metricTable)) {
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    if (unit === 'seconds' || unit === 'bytes') assert.match(name, new RegExp(unit), name);
  }
});

test('the dashboard asks for metrics and labels that exist', () => {
  const dashboard = read('deploy/grafana/millrace.json');
  const queries = [...dashboard.matchAll(/"(?:expr|query)": "((?:[^"\\]|\\.)*)"/g)].map(
    ([, query = '']) => query,
  );
  assert.ok(queries.length > 30);
  const used = queries.flatMap((query) => query.match(/\b(millrace|process|nodejs)_\w+/g) ?? []);
  assert.ok(used.length > 30);
  assert.deepEqual(
    used.filter((name) => !isShown(name)),
    [],
  );
  // Nothing that is counted stays unseen.
  const seen = new Set(used.map((name) => name.replace(/_bucket$/, '')));
  assert.deepEqual(
    Object.keys(metricTable).filter((name) => !seen.has(name)),
    [],
  );
  const labels = new Set(
    Object.values(metricTable).flatMap((row): readonly string[] => row.labels),
  );
  for (const query of queries) {
    for (const [, by = ''] of query.matchAll(/ by \(([^)]*)\)/g)) {
      for (const label of by.split(', ')) assert.ok(labels.has(label) || label === 'le', query);
    }
  }
});

test('docs/metrics.md advises to watch metrics that exist', () => {
  const named = read('docs/metrics.md').match(/`(millrace|process|nodejs)_\w+/g) ?? [];
  const unknown = named.map((name) => name.slice(1)).filter((name) => !isShown(name));
  assert.deepEqual(
    unknown.filter((name) => name !== 'process_' && name !== 'nodejs_'),
    [],
  );
});

test('many equal observations are one call, and buckets hold all that is below', async () => {
  const metrics = new Metrics();
  metrics.deliveryLag.add(0.004, 500);
  metrics.deliveryLag.add(0.005, 1);
  metrics.deliveryLag.add(0.3, 10);
  metrics.deliveryLag.add(1_000, 2);
  const series = seriesOf(await metrics.text());
  const bucket = (le: string) => series.get(`millrace_delivery_lag_seconds_bucket{le="${le}"}`);
  assert.equal(bucket('0.005'), 501);
  assert.equal(bucket('0.25'), 501);
  assert.equal(bucket('0.5'), 511);
  assert.equal(bucket('300'), 511);
  assert.equal(bucket('+Inf'), 513);
  assert.equal(series.get('millrace_delivery_lag_seconds_count'), 513);
  const sum = series.get('millrace_delivery_lag_seconds_sum') ?? 0;
  assert.ok(Math.abs(sum - (500 * 0.004 + 0.005 + 3 + 2_000)) < 1e-9);
});

test('gauges show what is there now, counters what has been', async () => {
  const metrics = new Metrics();
  let connections = 3;
  metrics.onScrape((scrape) => {
    if (connections > 0) scrape.add('millrace_connections', { transport: 'feed-ws' }, connections);
    scrape.gained('millrace_messages_sent_total', { transport: 'feed-ws' }, 5);
    for (const value of [7, 2, 9]) {
      scrape.least('millrace_dedup_window_seconds', { project: 'a', topic: 't' }, value);
    }
  });
  metrics.count('millrace_logins_total', { result: 'ok' });
  await metrics.text();
  connections = 0;
  const series = seriesOf(await metrics.text());
  assert.equal(series.get('millrace_connections{transport="feed-ws"}'), undefined);
  assert.equal(series.get('millrace_messages_sent_total{transport="feed-ws"}'), 10);
  assert.equal(series.get('millrace_dedup_window_seconds{project="a",topic="t"}'), 2);
  assert.equal(series.get('millrace_logins_total{result="ok"}'), 1);
});

test('label sets beyond the bound share one, and those within keep theirs', () => {
  const sets = new LabelSets<'project' | 'topic'>(2);
  const [first, second] = [
    { project: 'a', topic: 'x' },
    { project: 'a', topic: 'y' },
  ] as const;
  assert.deepEqual(sets.of(first), first);
  assert.deepEqual(sets.of(second), second);
  const other = { project: 'other', topic: 'other' };
  assert.deepEqual(sets.of({ project: 'b', topic: 'z' }), other);
  assert.deepEqual(sets.of({ ...first }), first);
  assert.deepEqual(new LabelSets<'project'>(0).of({ project: 'a' }), { project: 'other' });
});

test('what a topic is called cannot break the format', async () => {
  const metrics = new Metrics();
  const labels = { project: 'a"b\\c\nd', topic: 't' };
  metrics.count('millrace_late_total', labels);
  const lines = (await metrics.text()).split('\n');
  assert.ok(lines.includes('millrace_late_total{project="a\\"b\\\\c\\nd",topic="t"} 1'));
});
