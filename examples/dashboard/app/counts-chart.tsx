import { Group, SegmentedControl, Text, useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { type Counts, perMinute, type Steps } from './counts.ts';
import { type Topic, topics } from './model.ts';
import { Panel } from './panel.tsx';
import { palette, titles } from './topic-style.ts';

const height = 190;
const all = 'all';
/** Between the times that are written, in seconds. */
const minutes = [1, 2, 5, 10].map((count) => count * 60);

/** Events per minute over the last half hour, by their own time. */
export function CountsChart({
  counts,
  shown: steps,
}: {
  readonly counts: Readonly<Record<Topic, Counts>>;
  readonly shown: Steps;
}) {
  const [shown, setShown] = useState<string>(all);
  const scheme = useComputedColorScheme();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const series = topics.map((topic) => perMinute(counts[topic], steps));
  const latest = useRef<uPlot.AlignedData>([[]]);
  latest.current = [series[0]?.at ?? [], ...series.map(({ count }) => count)];

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const plot = new uPlot(optionsOf(element.clientWidth, shown, scheme), latest.current, element);
    chart.current = plot;
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [shown, scheme]);
  useEffect(() => chart.current?.setData(latest.current));

  const choices = [{ value: all, label: 'All' }].concat(
    topics.map((topic) => ({ value: topic, label: titles[topic] })),
  );
  return (
    <Panel
      title="Events per minute"
      aside={<SegmentedControl size="xs" data={choices} value={shown} onChange={setShown} />}
    >
      <div ref={place} className="chart" />
      <Group gap="lg" mt={6} justify="center">
        {topics
          .filter((topic) => shown === all || shown === topic)
          .map((topic) => (
            <Group key={topic} gap={6}>
              <div className="dot" style={{ color: palette[topic] }} />
              <Text size="xs" c="dimmed">
                {titles[topic]}
              </Text>
            </Group>
          ))}
      </Group>
    </Panel>
  );
}

function optionsOf(width: number, shown: string, scheme: 'light' | 'dark'): uPlot.Options {
  const grid = { stroke: scheme === 'light' ? '#e9ecef' : '#3b3b3b', width: 1 };
  const axis: uPlot.Axis = {
    stroke: '#868e96',
    font: '12px system-ui, sans-serif',
    grid,
    ticks: { show: false },
  };
  return {
    width,
    height,
    cursor: { y: false, points: { size: 7 } },
    padding: [8, 20, 0, 0],
    scales: { y: { range: (_, __, most) => [0, Math.max(10, most * 1.1)] } },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        values: (_, times) => times.map(clock),
        space: 80,
        incrs: minutes,
      },
      { ...axis, size: 48 },
    ],
    series: [
      {},
      ...topics.map((topic) => ({
        label: titles[topic],
        show: shown === all || shown === topic,
        stroke: palette[topic],
        fill: `${palette[topic]}1f`,
        width: 2,
        points: { show: false },
      })),
    ],
  };
}

function clock(seconds: number): string {
  const at = new Date(seconds * 1_000);
  return `${at.getHours()}:${String(at.getMinutes()).padStart(2, '0')}`;
}
