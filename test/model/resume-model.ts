import type { Event } from '../../src/decode/event.ts';
import type { EventOrder } from '../../src/sequence/order.ts';
import type { Position, ResumePoint } from '../../src/sequence/position.ts';
import { Sequencer } from '../../src/sequence/sequencer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { Dice } from './dice.ts';
import { drawLog, type Log, logStartMs } from './random-log.ts';

/**
 * A model of a log and of one client that reads it through a chain of instances. Each instance
 * resumes where the message that the client took last says, reads on in an interleaving of its own, and
 * is lost again. At the end the client's messages are judged: each event once, those not late in order.
 *
 * Everything is drawn from one seed, which a failing test prints: `MILLRACE_MODEL_SEED=<seed>` replays it.
 */

/** What an instance is told of the message that was taken last. The two others are controls: they must fail. */
export type CursorKind = 'K, R and V' | 'R only' | 'V only';

export interface ModelOptions {
  readonly seed: number;
  readonly order: EventOrder;
  readonly deduplicate: boolean;
  readonly cursor: CursorKind;
  /** Whether some records bear a broker time from the future. @default false */
  readonly fromFuture?: boolean;
}

/** What the client got, against the log. */
export interface Judgement {
  readonly resumes: number;
  /** Events of the log that never came. */
  readonly lost: readonly string[];
  /** Events that came more than once. */
  readonly twice: readonly string[];
  /** Messages that were not late and yet came after one with a later time. */
  readonly disordered: number;
  /** Identities of the events with a broker time from the future. */
  readonly fromFuture: ReadonlySet<string>;
}

const idKey = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);

interface Message {
  readonly event: Event;
  readonly late: boolean;
  readonly position: Position;
}

/** How the judge tells events apart. */
function identity(event: Event, deduplicate: boolean): string {
  return deduplicate && event.id !== null ? `id ${event.id}` : `${event.partition}/${event.offset}`;
}

/** Where an instance begins. */
interface Beginning {
  readonly resumeFrom?: ResumePoint;
  readonly offsets: (partition: number) => number;
}

function beginningOf(cursor: CursorKind, position: Position | null, dice: Dice): Beginning {
  if (position === null) return { offsets: () => 0 };
  switch (cursor) {
    case 'K, R and V':
      // With and without V: it says where to begin reading, and changes nothing else.
      return {
        resumeFrom: dice.oneIn(2) ? position : { key: position.key, next: position.next },
        offsets: () => 0,
      };
    case 'R only':
      return { offsets: (partition) => position.next.get(partition) ?? 0 };
    case 'V only':
      return { offsets: (partition) => position.lowest.get(partition) ?? 0 };
  }
}

/** Reads the log on a fresh instance until `take` messages are there, or to its end. */
function readOn(
  log: Log,
  options: ModelOptions,
  dice: Dice,
  beginning: Beginning,
  clock: ManualClock,
  take: number,
): Message[] {
  const messages: Message[] = [];
  const sequencer: Sequencer = new Sequencer({
    order: options.order,
    deduplicate: options.deduplicate,
    latenessMs: 2_000,
    dedupWindowMs: 1e9,
    maxDedupBytes: 2 ** 20,
    maxHeldBytes: dice.oneIn(3) ? 100 : 1e6,
    idKey,
    clock,
    emit: (event, late) => messages.push({ event, late, position: sequencer.position() }),
    ...(beginning.resumeFrom === undefined ? {} : { resumeFrom: beginning.resumeFrom }),
  });
  const at = log.partitions.map((_, partition) => beginning.offsets(partition));
  for (const [partition, offset] of at.entries()) sequencer.addPartition(partition, offset);
  const isAtEnd = (partition: number) =>
    (at[partition] ?? 0) >= (log.partitions[partition]?.length ?? 0);
  while (messages.length < take && !log.partitions.every((_, partition) => isAtEnd(partition))) {
    const partition = dice.below(log.partitions.length);
    for (let burst = dice.below(6); burst > 0 && !isAtEnd(partition); burst--) {
      const offset = at[partition] ?? 0;
      const record = log.partitions[partition]?.[offset];
      at[partition] = offset + 1;
      if (record === null || record === undefined) {
        sequencer.advance(partition, offset + 1);
        continue;
      }
      // Nobody reads a record before it was recorded.
      clock.jump(Math.max(0, record.atMs - clock.now()));
      sequencer.ingest(record.event);
    }
    if (dice.oneIn(3)) clock.jump(dice.below(500));
    if (isAtEnd(partition) && clock.now() > log.endMs) sequencer.caughtUp(partition, clock.now());
    if (dice.oneIn(2)) sequencer.release();
  }
  clock.jump(Math.max(0, log.endMs - clock.now()) + 200_000);
  if (messages.length < take) {
    for (const partition of log.partitions.keys()) sequencer.caughtUp(partition, clock.now());
    sequencer.release();
  }
  return messages;
}

/** Lets one client read one random log through instances that come and go. */
export function judgeResumes(options: ModelOptions): Judgement {
  const dice = new Dice(options.seed);
  const log = drawLog(dice, options);
  const taken: Message[] = [];
  let resumes = 0;
  for (let instance = 0; instance < 60; instance++) {
    const beginning = beginningOf(options.cursor, taken.at(-1)?.position ?? null, dice);
    // The last instance is read to the end; of those before, the client takes some messages only.
    const take = instance === 59 ? Number.POSITIVE_INFINITY : 1 + dice.below(30);
    const messages = readOn(log, options, dice, beginning, new ManualClock(logStartMs), take);
    if (instance > 0) resumes++;
    taken.push(...messages.slice(0, take));
    if (messages.length < take) break;
  }
  return { ...judge(log, options, taken), resumes };
}

function judge(
  log: Log,
  options: ModelOptions,
  taken: readonly Message[],
): Omit<Judgement, 'resumes'> {
  const count = new Map<string, number>();
  for (const { event } of taken) {
    const id = identity(event, options.deduplicate);
    count.set(id, (count.get(id) ?? 0) + 1);
  }
  const expected = new Set<string>();
  const fromFuture = new Set<string>();
  for (const record of log.partitions.flat()) {
    if (record === null) continue;
    const id = identity(record.event, options.deduplicate);
    expected.add(id);
    if (record.event.recordedAtMs > record.atMs) fromFuture.add(id);
  }
  let disordered = 0;
  let last: number | bigint = Number.NEGATIVE_INFINITY;
  for (const { event, late } of taken) {
    if (late || options.order === 'ARRIVAL') continue;
    const own = options.order === 'TIMESTAMP' ? event.timestampUs : (event.sequence ?? 0);
    if (own < last) disordered++;
    last = own;
  }
  return {
    lost: [...expected].filter((id) => !count.has(id)),
    twice: [...count.keys()].filter((id) => (count.get(id) ?? 0) > 1),
    disordered,
    fromFuture,
  };
}
