import { Group, Paper, Text } from '@mantine/core';

const whole = new Intl.NumberFormat('en');
const width = 100;
const height = 28;

/** How many there are in a minute, now and before. */
export function Figure({
  title,
  colour,
  total,
  trend,
}: {
  readonly title: string;
  readonly colour: string;
  readonly total: number;
  /** Per minute, the newest last. */
  readonly trend: readonly number[];
}) {
  const now = trend.at(-1);
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Text size="sm" c="dimmed" fw={500}>
        {title}
      </Text>
      <Group align="baseline" gap={6} wrap="nowrap">
        <Text className="number" fz={{ base: 24, sm: 30 }} fw={700} lh={1.2}>
          {now === undefined ? '–' : whole.format(now)}
        </Text>
        <Text size="sm" c="dimmed">
          / min
        </Text>
      </Group>
      <Sparkline colour={colour} values={trend} />
      <Text className="number" size="xs" c="dimmed" mt={4} data-total={total}>
        {whole.format(total)} in all
      </Text>
    </Paper>
  );
}

function Sparkline({
  colour,
  values,
}: {
  readonly colour: string;
  readonly values: readonly number[];
}) {
  const most = Math.max(1, ...values);
  // One alone is a level as well.
  const levels = values.length === 1 ? [...values, ...values] : values;
  const points = levels.map((value, index) => {
    const x = (index / (levels.length - 1)) * width;
    return `${x.toFixed(1)},${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`;
  });
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      width="100%"
      height={height}
      preserveAspectRatio="none"
      aria-hidden
    >
      <polygon
        points={`0,${height} ${points.join(' ')} ${width},${height}`}
        fill={colour}
        opacity={0.12}
      />
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke={colour}
        strokeWidth={1.5}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
