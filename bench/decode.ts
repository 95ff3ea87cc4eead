/**
 * What decoding costs on top of what nobody can do without: `Buffer.toString` and `JSON.parse`.
 * Prints one JSON line for each step, `decode` including both: nanoseconds of processor time for a
 * record (what else runs on the machine is not counted), the median of five rounds.
 */
import { createDecoder } from '../src/decode/decoder.ts';
import { formatTimestamp, parseTimestamp } from '../src/decode/timestamp.ts';
import type { RawRecord } from '../src/kafka/port.ts';

const rounds = 5;
const passesPerRound = 600;

/** So many different records that no cache of the engine can answer for the parser. */
const records: readonly RawRecord[] = Array.from({ length: 512 }, (_, index) => ({
  offset: index,
  timestampMs: 1_795_453_200_000 + index,
  key: null,
  value: Buffer.from(
    JSON.stringify({
      keen: {
        id: (0x65_6f_00 + index).toString(16).padStart(24, 'a'),
        timestamp: `2026-11-23T17:00:00.${String(index).padStart(3, '0')}Z`,
        created_at: '2026-11-23T17:00:00.987Z',
      },
      sequence_number: index,
      user: { id: index % 97, email: 'someone@example.com', country: 'DE' },
      item: { sku: `A-${1000 + index}`, price: 12.5, quantity: 2 },
      page: '/products/a-1234',
    }),
  ),
}));

const decode = createDecoder({
  id: 'keen.id',
  timestamp: 'keen.timestamp',
  sequence: 'sequence_number',
});

const timestamps = records.map((record) => {
  const decoded = decode(0, record);
  return decoded.kind === 'event' ? decoded.timestamp : null;
});

const steps: Readonly<Record<string, (record: RawRecord, index: number) => unknown>> = {
  'Buffer.toString': (record) => record.value?.toString('utf8'),
  'Buffer.toString + JSON.parse': (record) => JSON.parse(record.value?.toString('utf8') ?? 'null'),
  decode: (record) => decode(0, record),
  'parseTimestamp alone': (_, index) => parseTimestamp(timestamps[index]),
  'formatTimestamp alone': (_, index) =>
    formatTimestamp({
      timestamp: timestamps[index] ?? null,
      timestampReadable: true,
      recordedAtMs: 0,
    }),
};

/** Keeps the results alive, so that no work can be optimised away. */
let sink: unknown;

function nsPerRecord(step: (record: RawRecord, index: number) => unknown): number {
  const before = process.cpuUsage();
  for (let pass = 0; pass < passesPerRound; pass += 1) {
    for (const [index, record] of records.entries()) sink = step(record, index);
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / (passesPerRound * records.length);
}

const results = new Map<string, number[]>();
// One round more than counts: the first one warms up. Interleaved, so that a throttled core or a
// noisy neighbour hits all steps alike.
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, step] of Object.entries(steps)) {
    const ns = nsPerRecord(step);
    if (round > 0) results.set(name, [...(results.get(name) ?? []), ns]);
  }
}

const recordBytes = records[0]?.value?.length;
for (const [step, ns] of results) {
  const median = ns.toSorted((a, b) => a - b)[Math.floor(ns.length / 2)] ?? Number.NaN;
  console.log(
    JSON.stringify({ bench: 'decode', step, nsPerRecord: Math.round(median), recordBytes }),
  );
}
if (sink === undefined) throw new Error('nothing was decoded');
