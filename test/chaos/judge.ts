import type { ChaosTopic, GotEvent, Place, Tape } from './event.ts';
import { idOf } from './event.ts';
import type { LogCopy } from './log-copy.ts';

/** An event of the log that never came. */
export interface Missing {
  readonly id: string;
  readonly places: readonly Place[];
}

/** What is wrong with one subscriber's tape; of events on it, their places on the tape. */
export interface Anomalies {
  /** In the log, and never delivered. */
  readonly lost: readonly Missing[];
  /** Of those: something recorded later in the same partition was delivered. */
  readonly undeclaredGaps: readonly Missing[];
  readonly repeated: readonly number[];
  /** Among those with `late: false`. */
  readonly outOfOrder: readonly number[];
  /** Of another topic or project. */
  readonly foreign: readonly number[];
  /** The log has something else, or nothing, where the event is said to lie. */
  readonly unfounded: readonly number[];
  /** Codes of errors: nothing is lost, and nobody's rights change, so that there is nothing to tell. */
  readonly alarms: readonly string[];
}

/** What is to be expected while brokers fail. */
const expectedError = 'KAFKA_UNAVAILABLE';

/** How much of each is wrong; all zero: nothing. */
export type Verdict = Readonly<Record<keyof Anomalies, number>>;

/** @param log what the topic holds once all is written */
export function judge({ topic, order, got, errors }: Tape, log: LogCopy): Anomalies {
  const ids = new Set<string>();
  const reached = new Map<number, number>();
  const [repeated, foreign, unfounded]: [number[], number[], number[]] = [[], [], []];
  for (const [at, event] of got.entries()) {
    const { id, partition, offset } = event;
    if (!isOf(topic, id)) foreign.push(at);
    else if (log.at(event) !== id) unfounded.push(at);
    if (ids.has(id)) repeated.push(at);
    ids.add(id);
    reached.set(partition, Math.max(reached.get(partition) ?? -1, offset));
  }
  const lost = [...log.places]
    .filter(([id]) => !ids.has(id))
    .map(([id, places]) => ({ id, places }));
  const isPassed = ({ partition, offset }: Place): boolean =>
    (reached.get(partition) ?? -1) > offset;
  return {
    lost,
    undeclaredGaps: lost.filter(({ places }) => places.some(isPassed)),
    repeated,
    outOfOrder: disorderOf(order, got),
    foreign,
    unfounded,
    alarms: errors.filter((code) => code !== expectedError),
  };
}

export function verdictOf(anomalies: Anomalies): Verdict {
  return {
    lost: anomalies.lost.length,
    undeclaredGaps: anomalies.undeclaredGaps.length,
    repeated: anomalies.repeated.length,
    outOfOrder: anomalies.outOfOrder.length,
    foreign: anomalies.foreign.length,
    unfounded: anomalies.unfounded.length,
    alarms: anomalies.alarms.length,
  };
}

export function isClean(verdict: Verdict): boolean {
  return Object.values(verdict).every((count) => count === 0);
}

/**
 * What was acknowledged and is not there: then it is Kafka, or the load that takes an answer for another,
 * that lost it.
 */
export function falselyAcknowledged(
  acknowledged: ReadonlyMap<string, readonly Place[]>,
  log: LogCopy,
): Missing[] {
  return [...acknowledged]
    .map(([id, places]) => ({ id, places: places.filter((place) => log.at(place) !== id) }))
    .filter(({ places }) => places.length > 0);
}

/** Where something comes after what belongs behind it. */
function disorderOf(order: Tape['order'], got: readonly GotEvent[]): number[] {
  switch (order) {
    case 'ARRIVAL':
      return stepsBack(
        got,
        ({ offset }) => offset,
        ({ partition }) => partition,
      );
    case 'TIMESTAMP':
      return stepsBack(got, ({ late, timestampMs }) => (late ? undefined : timestampMs));
    case 'SEQUENCE':
      return stepsBack(got, ({ late, sequence }) => (late ? undefined : sequence));
  }
}

function stepsBack(
  got: readonly GotEvent[],
  valueOf: (event: GotEvent) => number | undefined,
  laneOf: (event: GotEvent) => number = () => 0,
): number[] {
  const greatest = new Map<number, number>();
  const steps: number[] = [];
  for (const [at, event] of got.entries()) {
    const value = valueOf(event);
    if (value === undefined) continue;
    const lane = laneOf(event);
    const before = greatest.get(lane) ?? Number.NEGATIVE_INFINITY;
    if (value < before) steps.push(at);
    greatest.set(lane, Math.max(before, value));
  }
  return steps;
}

function isOf(topic: ChaosTopic, id: string): boolean {
  const [, number = ''] = /\/(\d+)$/.exec(id) ?? [];
  return id === idOf(topic, Number(number));
}
