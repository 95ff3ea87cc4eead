/**
 * Makes a picture of what `main.ts` printed:
 *
 *     node bench/fanout/plot.ts RESULTS > docs/images/fanout.svg
 *
 * RESULTS holds the lines of JSON of the scenarios `one-per-turn` and `ten-per-turn`; of each variant the
 * medians are drawn.
 */
import { readFileSync } from 'node:fs';

interface Line {
  readonly scenario?: string;
  readonly variant: string;
  readonly medianOf?: number;
  readonly cpuUsPerDelivery: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Bar {
  readonly label: string;
  readonly value: number;
  /** A second value, drawn behind the first. */
  readonly beyond?: number;
}

const titles: Readonly<Record<string, string>> = {
  'one-per-turn': '1 event a turn, 20 events a second',
  'ten-per-turn': '10 events a turn, 50 events a second',
};
const names: Readonly<Record<string, string>> = {
  millrace: 'Millrace',
  floor: 'floor',
  'ws-send': 'ws.send',
  naive: 'yoga + graphql-ws',
};

const panelWidth = 420;
const panelHeight = 190;
const labelWidth = 136;
const barsWidth = 200;
const rowHeight = 30;

const [file] = process.argv.slice(2);
const medians = readFileSync(file ?? 0, 'utf8')
  .split('\n')
  .filter((text) => text.startsWith('{'))
  .map((text): Line => JSON.parse(text))
  .filter(({ medianOf }) => medianOf !== undefined);

const rows = Object.entries(titles).flatMap(([scenario, title], row) => {
  const lines = medians.filter((line) => line.scenario === scenario);
  return [
    `<text x="12" y="${row * panelHeight + 22}" font-weight="bold">${title}</text>`,
    panel(
      0,
      row,
      'Processor time of the server, µs a delivery',
      lines.map((line) => ({
        label: names[line.variant] ?? line.variant,
        value: line.cpuUsPerDelivery,
      })),
    ),
    panel(
      1,
      row,
      'From the producer to the client, ms: median, 99th percentile',
      lines.map((line) => ({
        label: names[line.variant] ?? line.variant,
        value: line.p50Ms,
        beyond: line.p99Ms,
      })),
    ),
  ];
});

const width = panelWidth * 2;
const height = panelHeight * Object.keys(titles).length;
console.log(
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...rows,
    '</svg>',
  ].join('\n'),
);

function panel(column: number, row: number, title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value, beyond = value }) => beyond));
  const drawn = bars.map(({ label, value, beyond }, index) => {
    const y = 56 + index * rowHeight;
    const length = Math.round((value / most) * barsWidth);
    const reach = Math.round(((beyond ?? value) / most) * barsWidth);
    const figures = beyond === undefined ? figure(value) : `${figure(value)}, ${figure(beyond)}`;
    const fill = index === 0 ? '#2563eb' : '#94a3b8';
    const rest =
      beyond === undefined
        ? ''
        : `<rect x="${labelWidth}" y="${y}" width="${reach}" height="18" fill="${fill}" opacity="0.35"/>`;
    return [
      `<text x="${labelWidth - 8}" y="${y + 13}" text-anchor="end">${label}</text>`,
      rest,
      `<rect x="${labelWidth}" y="${y}" width="${length}" height="18" fill="${fill}"/>`,
      `<text x="${labelWidth + reach + 6}" y="${y + 13}">${figures}</text>`,
    ].join('');
  });
  return [
    `<g transform="translate(${column * panelWidth} ${row * panelHeight})" fill="#0f172a">`,
    `<text x="12" y="44">${title}</text>`,
    ...drawn,
    '</g>',
  ].join('\n');
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}
