/**
 * The flood: its writer and those who read it, in a process of its own that comes last on the machine's processors.
 * For `Flooding` only, which tells it what to do.
 */
import { setPriority } from 'node:os';
import { KafkaAccess, type KafkaCoordinates } from '../../scripts/kafka/access.ts';
import { Crowd, type CrowdOptions } from './crowd.ts';
import { type Flow, NumberedEvents } from './numbered-events.ts';

/** In its second argument, as JSON. */
export interface FlooderOptions extends Omit<CrowdOptions, 'onEvent'> {
  readonly coordinates: KafkaCoordinates;
  readonly kafkaTopic: string;
  readonly flow: Flow;
}

/** `write`: nobody reads what is written. */
export type FloodState = 'rest' | 'write' | 'flood';

/** Sent when it has come to a state, and every now and then. */
export interface FloodReport {
  readonly state: FloodState;
  /** Events that its clients have got so far, over all of them. */
  readonly received: number;
  /** See `Crowd.anomalies`. */
  readonly anomalies: number;
}

const reportMs = 200;

const { coordinates, kafkaTopic, flow, ...common }: FlooderOptions = JSON.parse(
  process.argv[2] ?? '',
);
const kafka = new KafkaAccess(coordinates);
let state: FloodState = 'rest';
let received = 0;
let anomalies = 0;
/** Of the events to come. */
let first = 0;
let events: NumberedEvents | undefined;
let crowd: { leave(): Promise<void>; readonly anomalies: number } | undefined;

setPriority(10);
process.on('disconnect', () => process.exit());
process.on('message', (wanted: FloodState) => void become(wanted));
setInterval(report, reportMs);

async function become(wanted: FloodState): Promise<void> {
  if (wanted !== 'rest') events ??= new NumberedEvents(kafka, kafkaTopic, { ...flow, first });
  if (wanted === 'flood') crowd ??= come();
  if (wanted !== 'flood' && crowd !== undefined) {
    await crowd.leave();
    anomalies += crowd.anomalies;
    crowd = undefined;
  }
  if (wanted === 'rest') {
    await events?.end();
    first = (events?.last ?? first - 1) + 1;
    events = undefined;
  }
  state = wanted;
  report();
}

function come(): NonNullable<typeof crowd> {
  const coming = new Crowd({
    ...common,
    onEvent: () => {
      received += 1;
    },
  });
  const ended = new AbortController();
  const returning = coming.keepComingBack(ended.signal);
  return {
    async leave() {
      ended.abort();
      await returning;
      coming.leave();
    },
    get anomalies() {
      return coming.anomalies;
    },
  };
}

function report(): void {
  const told: FloodReport = { state, received, anomalies: anomalies + (crowd?.anomalies ?? 0) };
  process.send?.(told);
}
