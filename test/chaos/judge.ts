import type { ChaosTopic, GotEvent, Tape } from './event.ts';
import { idOf } from './event.ts';

/** What is wrong with one subscriber's tape; all zero: nothing. */
export interface Verdict {
  /** Acknowledged by Kafka, and never delivered. */
  readonly lost: number;
  /** Of those: something recorded later in the same partition was delivered, and no error told of it. */
  readonly undeclaredGaps: number;
  readonly repeated: number;
  /** Among those with `late: false`. */
  readonly outOfOrder: number;
  /** Of another topic or project. */
  readonly foreign: number;
}

/** Where an acknowledged event lies in the log. */
export interface Place {
  readonly partition: number;
  readonly offset: number;
}

/** @param acknowledged by id, each place at which Kafka has it */
export function judge(
  { topic, order, got }: Tape,
  acknowledged: ReadonlyMap<string, readonly Place[]>,
): Verdict {
  const ids = new Set<string>();
  const reached = new Map<number, number>();
  let [repeated, foreign] = [0, 0];
  for (const { id, partition, offset } of got) {
    if (!isOf(topic, id)) foreign += 1;
    if (ids.has(id)) repeated += 1;
    ids.add(id);
    reached.set(partition, Math.max(reached.get(partition) ?? -1, offset));
  }
  const missing = [...acknowledged].filter(([id]) => !ids.has(id));
  const isPassed = ({ partition, offset }: Place): boolean =>
    (reached.get(partition) ?? -1) > offset;
  return {
    lost: missing.length,
    undeclaredGaps: missing.filter(([, places]) => places.some(isPassed)).length,
    repeated,
    outOfOrder: disorderOf(order, got),
    foreign,
  };
}

/** Some of what is wrong, to look into. */
export function examplesOf(
  { got }: Tape,
  acknowledged: ReadonlyMap<string, readonly Place[]>,
): string[] {
  const byId = Map.groupBy(got, ({ id }) => id);
  const lost = [...acknowledged].filter(([id]) => !byId.has(id));
  const repeated = [...byId.values()].filter((events) => events.length > 1);
  return [
    ...lost.slice(0, 3).map(([id, places]) => `lost ${id} at ${JSON.stringify(places)}`),
    ...repeated.slice(0, 3).map((events) => {
      const places = acknowledged.get(events[0]?.id ?? '');
      const at = events.map((event) => got.indexOf(event));
      return `repeated ${JSON.stringify(events)} as ${at.join()} of ${got.length}, at ${JSON.stringify(places)}`;
    }),
  ];
}

export function isClean(verdict: Verdict): boolean {
  return Object.values(verdict).every((count) => count === 0);
}

/** How often something comes after what belongs behind it. */
function disorderOf(order: Tape['order'], got: readonly GotEvent[]): number {
  if (order === 'ARRIVAL') {
    const byPartition = Map.groupBy(got, ({ partition }) => partition);
    return [...byPartition.values()].reduce(
      (sum, ofOne) => sum + stepsBack(ofOne.map(({ offset }) => offset)),
      0,
    );
  }
  const inTime = got.filter(({ late }) => !late);
  return stepsBack(
    inTime.map((event) => (order === 'TIMESTAMP' ? event.timestampMs : event.sequence)),
  );
}

function stepsBack(values: readonly number[]): number {
  let steps = 0;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < greatest) steps += 1;
    greatest = Math.max(greatest, value);
  }
  return steps;
}

function isOf(topic: ChaosTopic, id: string): boolean {
  const [, number = ''] = /\/(\d+)$/.exec(id) ?? [];
  return id === idOf(topic, Number(number));
}
