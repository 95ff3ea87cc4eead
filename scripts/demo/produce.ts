import { setTimeout } from 'node:timers/promises';
import type { DemoRecord, RecordPlan } from './record.ts';
import type { RecordSink } from './sink.ts';

export interface ProduceOptions {
  readonly plan: RecordPlan;
  readonly sink: Pick<RecordSink, 'send'>;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Told why records cannot be written, once until they can; it keeps trying. */
  readonly onTrouble: (reason: string) => void;
  /** What is older, because the machine slept or Kafka was away, is left out. @default 10_000 */
  readonly maxBehindMs?: number;
  /** Milliseconds since 1970. @default the system's clock */
  readonly now?: () => number;
  /** @default a timer */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** Records due within so many milliseconds go together. */
const tickMs = 50;
const retryMs = 1_000;
const maxRecordsAtOnce = 2_000;

/** Writes every record at its time, until the plan ends or the signal does. */
export async function produce(options: ProduceOptions): Promise<void> {
  const { plan, sink, signal, onTrouble, maxBehindMs = 10_000, now = Date.now } = options;
  const sleep = options.sleep ?? ((ms) => sleepUnlessAborted(ms, signal));
  let unsent: readonly DemoRecord[] = [];
  let inTrouble = false;
  while (!signal.aborted && (unsent.length > 0 || plan.nextMs < Number.POSITIVE_INFINITY)) {
    if (unsent.length === 0) {
      if (plan.nextMs < now() - maxBehindMs) plan.skipTo(now());
      unsent = takeUntil(plan, now());
    }
    if (unsent.length === 0) {
      await sleep(Math.max(tickMs, plan.nextMs - now()));
      continue;
    }
    try {
      await sink.send(unsent);
      unsent = [];
      inTrouble = false;
    } catch (error) {
      if (!inTrouble) onTrouble(error instanceof Error ? error.message : String(error));
      inTrouble = true;
      await sleep(retryMs);
    }
  }
}

/** Writes all records at once, as fast as they are taken. */
export async function sendAll(
  records: readonly DemoRecord[],
  sink: Pick<RecordSink, 'send'>,
): Promise<void> {
  for (let from = 0; from < records.length; from += maxRecordsAtOnce) {
    await sink.send(records.slice(from, from + maxRecordsAtOnce));
  }
}

/** Several plans as one. */
export function mergePlans(plans: readonly RecordPlan[]): RecordPlan {
  const first = (): RecordPlan | undefined => {
    let earliest: RecordPlan | undefined;
    for (const plan of plans) {
      if (plan.nextMs < (earliest?.nextMs ?? Number.POSITIVE_INFINITY)) earliest = plan;
    }
    return earliest;
  };
  return {
    get nextMs() {
      return first()?.nextMs ?? Number.POSITIVE_INFINITY;
    },
    next() {
      const plan = first();
      if (plan === undefined) throw new RangeError('the plan has ended');
      return plan.next();
    },
    skipTo(timestampMs) {
      for (const plan of plans) plan.skipTo(timestampMs);
    },
  };
}

function takeUntil(plan: RecordPlan, timestampMs: number): DemoRecord[] {
  const due: DemoRecord[] = [];
  while (plan.nextMs <= timestampMs && due.length < maxRecordsAtOnce) due.push(plan.next());
  return due;
}

async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
