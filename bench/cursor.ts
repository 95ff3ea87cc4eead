import { randomBytes } from 'node:crypto';
import type { Event } from '../src/decode/event.ts';
import { CursorCodec } from '../src/hub/cursor/cursor-codec.ts';
import { cursorKeyFrom } from '../src/hub/cursor/cursor-key.ts';
import type { StreamPosition } from '../src/hub/cursor/stream-position.ts';
import { History } from '../src/hub/history/history.ts';
import type { StreamMessage } from '../src/hub/history/stream-message.ts';
import type { OrderKey } from '../src/sequence/order-key.ts';
import { median } from './measure.ts';

/**
 * What a cursor costs, and a history: `node bench/cursor.ts`. Prints one line of JSON for each measurement:
 * medians in nanoseconds. `HMAC` is the bare one over as many bytes, the floor of making a cursor.
 */

const partitions = 9;
const topicIds = ['6n2CY1TnQfW8c1Vu0mC2oA'] as const;
const epochs = Array.from({ length: partitions }, (_, partition) => 12 + (partition % 4));
const codec = new CursorCodec(cursorKeyFrom('bench'), {
  projectId: 'bench',
  kafkaTopic: 'bench',
  stream: {
    kind: 'events',
    order: 'TIMESTAMP',
    deduplicate: true,
    settings: { id: 'id', timestamp: 't', sequence: 's', latenessMs: 2_000, maxAdvanceMs: 1_000 },
  },
});
const log = { topicIds, epochs };

function report(measurement: string, ns: readonly number[], more: object = {}): void {
  console.log(JSON.stringify({ measurement, medianNs: Math.round(median(ns)), ...more }));
}

function timed(count: number, step: (at: number) => void): number {
  const started = performance.now();
  for (let at = 0; at < count; at++) step(at);
  return ((performance.now() - started) * 1e6) / count;
}

function rounds(count: number, step: (at: number) => void): number[] {
  return Array.from({ length: 30 }, () => timed(count, step));
}

function keyAt(at: number): OrderKey {
  const time = 1.7e15 + at * 100;
  return { time, value: time, id: [at, at * 7, ~at, 3], partition: at % partitions, offset: at };
}

/** R grows with what was read, V is 2,000 records behind. */
function offsetsAt(at: number, behind: number): number[] {
  return Array.from({ length: partitions }, () => 5_000_000_000 + Math.floor(at / 9) - behind);
}

function benchCodec(): void {
  const next = offsetsAt(0, 0);
  const lowest = offsetsAt(0, 2_000);
  const released = Array.from({ length: 5_000 }, (_, at) => ({ key: keyAt(at), next, lowest }));
  const nothing: StreamPosition = { key: null, next: [], lowest: [] };
  report(
    'encode, of a turn',
    rounds(5_000, (at) => codec.encode(released[at] ?? nothing, log)),
    { characters: codec.encode(released[0] ?? nothing, log).length },
  );
  const arrived = Array.from({ length: 5_000 }, (_, at) => {
    const offsets = offsetsAt(at, 0);
    return { key: null, next: offsets, lowest: offsets };
  });
  report(
    'encode, by arrival',
    rounds(5_000, (at) => codec.encode(arrived[at] ?? nothing, log)),
  );
  const texts = released.map((position) => codec.encode(position, log));
  report(
    'decode',
    rounds(5_000, (at) => codec.decode(texts[at] ?? '', topicIds)),
  );
  const flipped = texts.map((text) => (text.startsWith('K') ? `J${text.slice(1)}` : text));
  report(
    'refuse',
    rounds(5_000, (at) => {
      try {
        codec.decode(flipped[at] ?? '', topicIds);
      } catch {
        return;
      }
      throw new Error('it was accepted');
    }),
  );
}

async function benchHmac(): Promise<void> {
  const { createHmac, createSecretKey } = await import('node:crypto');
  const key = createSecretKey(randomBytes(32));
  const bytes = randomBytes(110);
  report(
    'HMAC',
    rounds(5_000, () => createHmac('sha256', key).update(bytes).digest()),
  );
}

const turnSize = 100;

function event(at: number): Event {
  return {
    kind: 'event',
    id: `${at}`,
    timestampUs: 0,
    timestamp: null,
    timestampReadable: true,
    sequence: null,
    json: 'x',
    payload: null,
    partition: at % partitions,
    offset: at,
    recordedAtMs: 0,
  };
}

function benchHistory(): void {
  const history = new History<Event>({
    order: 'TIMESTAMP',
    maxBytes: 64 * 2 ** 20,
    start: { key: null, next: offsetsAt(0, 0), lowest: offsetsAt(0, 2_000) },
    recordOf: ({ id, partition, offset }) => ({ id, lane: partition, offset }),
    bytesOf: ({ json }) => json.length,
  });
  const messages: StreamMessage<Event>[] = [];
  let emitted = 0;
  const turn = (): void => {
    for (let left = turnSize; left > 0; left--) {
      messages.push(history.emitted(event(emitted), false, keyAt(emitted)));
      emitted += 1;
      if (emitted % 20 === 0) history.copy(event(emitted), keyAt(emitted));
    }
    history.mark({
      key: keyAt(emitted - 1),
      next: offsetsAt(emitted, 0),
      lowest: offsetsAt(emitted, 2_000),
    });
  };
  report(
    'remember a message',
    rounds(100, turn).map((ns) => ns / turnSize),
  );
  const remembered = messages.slice(-50_000);
  report(
    'after the cursor of one of 50,000 messages',
    rounds(1_000, (at) => {
      history.after(remembered[at * 40]?.position ?? history.start);
    }),
  );
  // Another instance has read a partition further by half a second of 10,000 events each.
  const foreign = remembered.map(({ position }) => ({
    ...position,
    next: position.next.map((offset, lane) => (lane === 3 ? offset + 550 : offset)),
  }));
  report(
    'after a cursor that differs by 5,000 events',
    rounds(40, (at) => history.after(foreign[at * 1_000] ?? history.start)),
  );
  const from = remembered[0]?.position ?? history.start;
  const skewed = { ...from, next: history.position.next };
  report(
    'after a cursor that leads to the end over 50,000 events',
    rounds(2, () => history.after(skewed)),
  );
}

await benchHmac();
benchCodec();
benchHistory();
