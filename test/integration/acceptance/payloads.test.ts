import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMilliseconds } from '../../../src/decode/timestamp.ts';
import { type Received, subscribers } from '../../support/graphql-client.ts';
import { HeldClock } from '../../support/held-clock.ts';
import { openProducer, sharedCluster, type TestRecord } from '../../support/kafka.ts';
import { RunningTime } from '../../support/running-time.ts';
import { feedIs, haveRead } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { kafkaClients, projectTopic, reader, runOnKafka } from './real-server.ts';

const latenessMs = 300;
/** From being recorded to being delivered, of the ordinary events next to a strange record. */
const promptMs = 2_000;
const hourMs = 3_600_000;
const tenYearsMs = 10 * 8_766 * hourMs;
/** Kafka's default is 1,048,588 for a batch, some of which its framing takes. */
const largestRecordBytes = 1_048_500;

interface Expected {
  /** Of the record, where it is not now. */
  readonly recordedAtMs?: number;
  readonly value: string | Buffer | null;
  readonly key?: string | null;
  readonly becomes:
    | { readonly kind: 'event'; readonly timestamp: string; readonly late: boolean }
    | { readonly kind: 'deadLetter'; readonly event: string; readonly error: RegExp };
}

type Message = Readonly<Record<string, unknown>>;

/** A record where it lies in partition 0. */
type Sent = Required<Omit<Expected, 'key'>> & { readonly offset: string };

/** A record that gave somebody trouble, made when it is sent, and what must become of it. */
type Strange = (nowMs: number) => Expected;

const strange: Readonly<Record<string, Strange>> = {
  'JSON that is cut off': deadLetter('{"keen":{"id":"a"', /^The record is not valid JSON: /),
  'bytes that are no UTF-8': deadLetter(
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
    /^The record is not valid UTF-8/,
    '{"\uFFFD"}',
  ),
  'a tombstone': deadLetter(null, /^The record is a tombstone/, ''),
  'an empty record': deadLetter('', /^The record is empty/),
  '20,000 levels of nesting': deadLetter(
    '['.repeat(20_000) + ']'.repeat(20_000),
    /nested deeper than 1000 levels/,
  ),
  'a record of 1 MB': (nowMs) => {
    const bare = Buffer.byteLength(event(iso(nowMs), { filler: '' }));
    const filler = 'x'.repeat(largestRecordBytes - bare);
    return { value: event(iso(nowMs), { filler }), becomes: punctual(iso(nowMs)) };
  },
  'keys that mean something to JavaScript': (nowMs) => ({
    value: `{"keen":{"timestamp":"${iso(nowMs)}"},"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}`,
    becomes: punctual(iso(nowMs)),
  }),
  'no key': (nowMs) => ({ key: null, value: event(iso(nowMs)), becomes: punctual(iso(nowMs)) }),
  'a key': (nowMs) => ({ key: 'k', value: event(iso(nowMs)), becomes: punctual(iso(nowMs)) }),
  'a time in an hour': ownTime((nowMs) => iso(nowMs + hourMs)),
  'a time in ten years': ownTime((nowMs) => iso(nowMs + tenYearsMs)),
  'the time 0': ownTime(() => 0, '1970-01-01T00:00:00.000Z'),
  'a negative time': ownTime(() => -1, '1969-12-31T23:59:59.999Z'),
  'a time that is none': (nowMs) => ({
    value: event('yesterday'),
    becomes: { kind: 'event', timestamp: iso(nowMs), late: true },
  }),
  'a time without a zone': (nowMs) => ({
    value: event(iso(nowMs).slice(0, -1)),
    becomes: punctual(iso(nowMs)),
  }),
  'a time of 6 digits': (nowMs) => {
    const timestamp = `${iso(nowMs).slice(0, -1)}789Z`;
    return { value: event(timestamp), becomes: punctual(timestamp) };
  },
  'no time': (nowMs) => ({ value: '{"a":1}', becomes: punctual(iso(nowMs)) }),
  'a record time in an hour': recordTime((nowMs) => nowMs + hourMs),
  'a record time in ten years': recordTime((nowMs) => nowMs + tenYearsMs),
  'the record time 0': recordTime(() => 0),
};

for (const client of kafkaClients) {
  test(`${client}: whatever a record is, it becomes an event or a dead letter, and the next one is on time`, async (t) => {
    const kafka = await sharedCluster();
    // Kafka refuses records from the future otherwise.
    const config = { 'message.timestamp.after.max.ms': '9223372036854775807' };
    const topic = await projectTopic(t, kafka, 'strange', { partitions: 2, config });
    const clock = new HeldClock();
    const settings = { MILLRACE_TOPICS_DEFAULTS_LATENESS: `${latenessMs}ms` };
    const server = await runOnKafka(t, kafka, client, settings, { clock });
    const open = (field: 'events' | 'deadLetters', selection: string) =>
      subscribers['graphql-ws'](t, {
        url: server.url,
        login: reader,
        query: `subscription($topic: String!) {
          ${field}(topic: $topic) { ${selection} topic partition offset recordedAt }
        }`,
        variables: { topic: topic.name },
      });
    const events = open('events', 'id timestamp payload late');
    const deadLetters = open('deadLetters', 'event error source');
    await feedIs(server, topic.kafkaTopic, { subscribers: 2 });
    const producer = await openProducer(t, kafka);
    const send = async (record: TestRecord): Promise<string> => {
      const [sent] = await producer.send(topic.kafkaTopic, [record]);
      return String(sent?.baseOffset);
    };

    const ordinary: string[] = [];
    const strangeOnes: (Sent & { readonly what: string })[] = [];
    let slowestMs = 0;
    let lastMs = 0;
    const sendBoth = async (what: string, make: Strange): Promise<RunningTime> => {
      const nowMs = clock.now();
      const { recordedAtMs = nowMs, value, key = null, becomes } = make(nowMs);
      const offset = await send({ partition: 0, key, value, timestampMs: recordedAtMs });
      strangeOnes.push({ what, offset, recordedAtMs, value, becomes });
      for (const partition of [0, 1]) {
        const id = `after ${what}, partition ${partition}`;
        ordinary.push(id);
        // Of one moment the order is that of their ids' digests.
        lastMs = Math.max(nowMs, lastMs + 1);
        const timestampMs = lastMs;
        const text = JSON.stringify({ keen: { id, timestamp: iso(timestampMs) } });
        await send({ partition, value: text, timestampMs });
      }
      const sent = new RunningTime();
      await haveRead(server, topic.kafkaTopic, await kafka.offsets(topic.kafkaTopic));
      return sent;
    };
    for (const [what, make] of Object.entries(strange)) {
      const sent = await clock.during(() => sendBoth(what, make));
      await until(`the ordinary events after ${what}`, () => {
        const ids = new Set(messagesOf(events).map(({ id }) => id));
        return ordinary.every((id) => ids.has(id));
      });
      slowestMs = Math.max(slowestMs, sent.ms);
    }
    await until(
      'all that is strange',
      () =>
        events.results.length + deadLetters.results.length >= ordinary.length + strangeOnes.length,
    );

    const messages = [...messagesOf(events), ...messagesOf(deadLetters)];
    assert.equal(messages.length, ordinary.length + strangeOnes.length);
    for (const { what, offset, ...sent } of strangeOnes) {
      const found = messages.find((one) => one['partition'] === 0 && one['offset'] === offset);
      assert.ok(found, `${what} has not come`);
      assertBecame(what, found, { offset, ...sent }, topic.name);
    }
    const inOrder = messagesOf(events).filter(({ id }) => ordinary.includes(String(id)));
    assert.deepEqual(
      inOrder.map(({ id, late }) => ({ id, late })),
      ordinary.map((id) => ({ id, late: false })),
    );
    assert.ok(slowestMs < promptMs, `an ordinary event came after ${slowestMs} ms`);
    assert.equal(Object('').polluted, undefined);
    t.diagnostic(`the slowest ordinary event came after ${Math.round(slowestMs)} ms`);
  });
}

function assertBecame(
  what: string,
  message: Message,
  { offset, recordedAtMs, value, becomes }: Sent,
  topic: string,
): void {
  const place = { topic, partition: 0, offset, recordedAt: formatMilliseconds(recordedAtMs) };
  if (becomes.kind === 'event') {
    const { timestamp, late } = becomes;
    const payload: unknown = JSON.parse(String(value));
    assert.deepEqual(message, { id: null, timestamp, late, payload, ...place }, what);
  } else {
    const { error, ...rest } = message;
    assert.match(String(error), becomes.error, what);
    assert.deepEqual(rest, { event: becomes.event, source: 'BRIDGE', ...place }, what);
  }
}

function messagesOf({ results }: Received): Message[] {
  return results.flatMap(({ data }) => Object.values(data ?? {}).map((message) => Object(message)));
}

function event(timestamp: unknown, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ keen: { timestamp }, ...more });
}

function punctual(timestamp: string): Expected['becomes'] {
  return { kind: 'event', timestamp, late: false };
}

/** An event that claims another time than its record's: it is delivered as it is, flagged late. */
function ownTime(of: (nowMs: number) => string | number, timestamp?: string): Strange {
  return (nowMs) => {
    const time = of(nowMs);
    return {
      value: event(time),
      becomes: { kind: 'event', timestamp: timestamp ?? String(time), late: true },
    };
  };
}

/** A record of another time than its event's and the server's: delivered, flagged late. */
function recordTime(of: (nowMs: number) => number): Strange {
  return (nowMs) => ({
    recordedAtMs: of(nowMs),
    value: event(iso(nowMs)),
    becomes: { kind: 'event', timestamp: iso(nowMs), late: true },
  });
}

function deadLetter(value: string | Buffer | null, error: RegExp, text = String(value)): Strange {
  return () => ({ value, becomes: { kind: 'deadLetter', event: text, error } });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
