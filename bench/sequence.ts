import { randomBytes } from 'node:crypto';
import type { Event } from '../src/decode/event.ts';
import { IdDigester } from '../src/sequence/dedup/id-digest.ts';
import { SeenIds } from '../src/sequence/dedup/seen-ids.ts';
import { none, type Place } from '../src/sequence/held-events.ts';
import { OrderingBuffer } from '../src/sequence/ordering-buffer.ts';
import { Sequencer } from '../src/sequence/sequencer.ts';

/**
 * What the sequencer costs: `node bench/sequence.ts [ids]` (10,000,000 by default). Prints one line of
 * JSON for each measurement: medians of many short runs, in nanoseconds, with the fastest run beside.
 * `randomRead` is the machine's own: one dependent read from 200 MB, the floor of any table that large.
 */

const ids = Number(process.argv[2] ?? 10_000_000);
/** As many as the sequencer fetches at a time. */
const idsTogether = 128;

function report(measurement: string, samples: readonly number[], more: object = {}): void {
  const sorted = samples.toSorted((a, b) => a - b);
  const medianNs = Math.round(sorted[sorted.length >> 1] ?? 0);
  const fastestNs = Math.round(sorted[0] ?? 0);
  console.log(JSON.stringify({ measurement, medianNs, fastestNs, ...more }));
}

/** Nanoseconds for each of `count` steps. */
function timed(count: number, step: () => void): number {
  const started = performance.now();
  for (let done = 0; done < count; done++) step();
  return ((performance.now() - started) * 1e6) / count;
}

// xoshiro128**, D. Blackman and S. Vigna, 2018: cheap enough not to count.
const state = Uint32Array.of(1, 2, 3, 4);
function random(): number {
  const s1 = state[1] ?? 0;
  const r = Math.imul(s1, 5);
  const result = Math.imul((r << 7) | (r >>> 25), 9);
  state[2] = (state[2] ?? 0) ^ (state[0] ?? 0);
  state[3] = (state[3] ?? 0) ^ s1;
  state[1] = s1 ^ (state[2] ?? 0);
  state[0] = (state[0] ?? 0) ^ (state[3] ?? 0);
  state[2] = (state[2] ?? 0) ^ (s1 << 9);
  state[3] = ((state[3] ?? 0) << 11) | ((state[3] ?? 0) >>> 21);
  return result >>> 0;
}

function randomWords(words: Int32Array): void {
  words[0] = random();
  words[1] = random();
  words[2] = random();
  words[3] = random();
}

function benchRandomRead(): void {
  const memory = new Int32Array(50_000_000).fill(1);
  let at = 0;
  const samples = Array.from({ length: 30 }, () =>
    timed(20_000, () => {
      at = (((random() / 2 ** 32) * memory.length + at) % memory.length) | 0;
      at = (at + (memory[at] ?? 0)) % memory.length;
    }),
  );
  report('randomRead', samples);
}

/** As the sequencer does it: the ids of a batch are drawn, fetched together, and added one by one. */
function benchSeenIds(): void {
  const words = new Int32Array(4);
  const digests = new Int32Array(idsTogether * 4);
  const seen = new SeenIds({ windowMs: ids, maxBytes: 2 ** 30 });
  let at = 0;
  const batch = 156 * idsTogether;
  let slowestMs = 0;
  let mostBytesPerId = 0;
  /** Of `step`, what is not the table's: to draw the ids. */
  const draw = () => {
    for (let word = 0; word < digests.length; word++) digests[word] = random();
  };
  const add = (index: number) => {
    words[0] = digests[index * 4] ?? 0;
    words[1] = digests[index * 4 + 1] ?? 0;
    words[2] = digests[index * 4 + 2] ?? 0;
    words[3] = digests[index * 4 + 3] ?? 0;
    at++;
    seen.add(words, at);
  };
  const step = () => {
    draw();
    seen.expire(at);
    seen.fetch(digests, idsTogether);
    for (let index = 0; index < idsTogether; index++) add(index);
  };
  const perId = () => timed(batch / idsTogether, step) / idsTogether;
  const growing: number[] = [];
  for (let grown = 0; grown < ids; grown += batch) {
    growing.push(perId());
    if (grown > ids / 2) mostBytesPerId = Math.max(mostBytesPerId, seen.bytes / seen.ids);
  }
  report('dedup while growing', growing, { ids: seen.ids, bytes: seen.bytes, mostBytesPerId });
  const steady = Array.from({ length: Math.ceil((ids * 0.2) / batch) }, perId);
  report('dedup at full size', steady, { ids: seen.ids, bytesPerId: seen.bytes / seen.ids });
  const alone = Array.from({ length: Math.ceil((ids * 0.1) / batch) }, () =>
    timed(batch, () => {
      randomWords(words);
      at++;
      seen.add(words, at);
    }),
  );
  report('dedup at full size, one at a time', alone);
  for (let single = 0; single < 200_000; single++) {
    randomWords(words);
    at++;
    const started = performance.now();
    seen.add(words, at);
    if (single % idsTogether === 0) seen.expire(at);
    slowestMs = Math.max(slowestMs, performance.now() - started);
  }
  report('dedup slowest single operation', [slowestMs * 1e6], { slowestMs });
}

function benchDigest(): void {
  const digester = new IdDigester(randomBytes(32));
  const kinds = {
    '24 hex digits': () => randomBytes(12).toString('hex'),
    UUID: () => crypto.randomUUID(),
    'other, 20 characters': () => `order-${randomBytes(7).toString('hex')}`,
  };
  for (const [kind, draw] of Object.entries(kinds)) {
    const texts = Array.from({ length: 20_000 }, draw);
    let next = 0;
    const step = () => {
      digester.digest(texts[next % texts.length] ?? '');
      next++;
    };
    report(
      `digest of ${kind}`,
      Array.from({ length: 30 }, () => timed(texts.length, step)),
    );
  }
}

/** 24 hexadecimal digits; `node:crypto` would disturb the caches. */
function randomId(): string {
  let id = '';
  for (let word = 0; word < 3; word++) id += random().toString(16).padStart(8, '0');
  return Buffer.from(id, 'latin1').toString('latin1');
}

function sketched(n: number, partition: number, offset: number, atMs: number, id: string): Event {
  const behindMs = random() % 5 === 0 ? random() % 1_900 : 0;
  return {
    kind: 'event',
    id,
    timestampUs: (atMs - behindMs) * 1_000 + (n % 1_000),
    timestamp: atMs,
    timestampReadable: true,
    sequence: n,
    json: '{"keen":{}}',
    payload: null,
    partition,
    offset,
    recordedAtMs: atMs,
  };
}

function benchBuffer(held: number): void {
  const buffer = new OrderingBuffer('time', 7_813);
  const place: Place = { rank: 0, words: new Int32Array(4), recordedAtMs: 0 };
  const events = Array.from({ length: held }, (_, n) => sketched(n, 0, n, 1e12 + n, 'x'));
  let n = 0;
  const hold = () => {
    randomWords(place.words);
    place.rank = 1e9 + n * 100 - (random() % 5 === 0 ? random() % 1_900_000 : 0);
    buffer.hold(events[n % held] ?? sketched(0, 0, 0, 0, 'x'), place, false, true);
    n++;
  };
  for (let filled = 0; filled < held; filled++) hold();
  const step = () => {
    if (buffer.head !== none) buffer.removeHead();
    hold();
  };
  report(
    `hold and release at ${held} held`,
    Array.from({ length: 60 }, () => timed(20_000, step)),
  );
}

/** 9 partitions, 10,000 events a second of log time: 20,000 held; a fifth out of order, 5 % copies. */
function benchSequencer(deduplicate: boolean): void {
  let nowMs = 1.7e12;
  let emitted = 0;
  const sequencer = new Sequencer({
    order: 'TIMESTAMP',
    deduplicate,
    latenessMs: 2_000,
    dedupWindowMs: 60_000,
    maxDedupBytes: 2 ** 28,
    maxHeldBytes: 2 ** 28,
    idKey: randomBytes(32),
    clock: {
      now: () => nowMs,
      schedule: () => ({ cancel: () => undefined }),
    },
    emit: () => {
      emitted++;
    },
  });
  const offsets: number[] = [];
  for (let partition = 0; partition < 9; partition++) {
    sequencer.addPartition(partition, 0);
    offsets.push(0);
  }
  const perAnswer = 2_000;
  let drawn = 0;
  const recent: string[] = [];
  const samples: number[] = [];
  for (let answer = 0; answer < 400; answer++) {
    const events: Event[] = [];
    nowMs += perAnswer / 10;
    // An answer has the records of one partition after those of another.
    for (let partition = 0; partition < 9; partition++) {
      for (let record = 0; record < perAnswer / 9; record++) {
        const isCopy = random() % 20 === 0 && recent.length > 0;
        const id = isCopy ? (recent[random() % recent.length] ?? '') : randomId();
        recent[drawn % 20_000] = id;
        const offset = offsets[partition] ?? 0;
        offsets[partition] = offset + 1;
        const atMs = nowMs - 200 + Math.floor((record * 9 * 200) / perAnswer);
        events.push(sketched(drawn++, partition, offset, atMs, id));
      }
    }
    const batches = Map.groupBy(events, ({ partition }) => partition);
    const started = performance.now();
    for (const [partition, batch] of batches) sequencer.ingestBatch(partition, batch);
    sequencer.release();
    const ns = ((performance.now() - started) * 1e6) / events.length;
    if (answer >= 100) samples.push(ns);
  }
  const { counters, held, dedup } = sequencer;
  report(`sequencer, each event${deduplicate ? '' : ', copies too'}`, samples, {
    held,
    emitted,
    duplicates: counters.duplicates,
    late: counters.late,
    remembered: dedup.ids,
  });
}

benchDigest();
benchBuffer(20_000);
benchSequencer(true);
benchSequencer(false);
benchRandomRead();
benchSeenIds();
