import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { all } from '../../../src/hub/delivery.ts';
import type { EventBatch, EventMessage } from '../../../src/hub/message.ts';
import { Stream, type StreamKey } from '../../../src/hub/stream.ts';
import { sketched } from '../../support/events.ts';
import { topicSettings } from '../../support/hub.ts';
import { beginning } from '../../../src/hub/cursor/stream-position.ts';
import { Cursors } from '../../../src/hub/cursors.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { listening, whereOf } from '../../support/messages.ts';

const latenessMs = 1_000;

/** As long as it has not been added. */
const stay = (): void => undefined;

function open(order: StreamKey['order'] = 'TIMESTAMP') {
  const clock = new ManualClock(10_000);
  const stream = new Stream({
    ...topicSettings,
    latenessMs,
    order,
    deduplicate: true,
    clock,
    idKey: () => new Uint8Array(32),
    historyBytes: 2 ** 20,
    keeping: { maxValues: 10, maxBytes: 1_000 },
    cursorsOf: (projectId, key) =>
      new Cursors({
        key: () => new Uint8Array(32),
        binding: {
          projectId,
          kafkaTopic: 't',
          stream: { kind: 'events', ...key, settings: topicSettings },
        },
        topicIds: () => [null],
      }),
  });
  stream.begin({ position: beginning, readFrom: new Map([[0, 0]]) });
  const batches = (maxEvents: number, maxWaitMs = 0, topic = 't') => {
    let leave = stay;
    const member = listening<EventBatch>(() => leave());
    const batching = { maxEvents, maxWaitMs };
    const wish = { where: whereOf(), shape: { batching, delivery: all }, join: undefined };
    const joined = stream.addBatches(member.subscription, { projectId: 'acme', topic }, wish);
    leave = () => joined.leave();
    return member;
  };
  const events = (topic = 't') => {
    let leave = stay;
    const member = listening<EventMessage>(() => leave());
    const joined = stream.addEvents(
      member.subscription,
      { projectId: 'acme', topic },
      { where: whereOf(), shape: all, join: undefined },
    );
    leave = () => joined.leave();
    return member;
  };
  let offset = 0;
  /** Records of these own times, of which each was recorded at its time. */
  const record = (...times: readonly number[]): void => {
    for (const t of times) {
      stream.sequencer.ingest(sketched({ id: `${offset}`, offset, at: t, t }));
      offset += 1;
    }
    stream.sequencer.caughtUp(0, clock.now());
    stream.release();
  };
  return { clock, stream, batches, events, record };
}

const timesOf = ({ events }: EventBatch): number[] =>
  events.map(({ event }) => event.timestampUs / 1_000);

test('property: what comes after a batch is not before its watermark', async () => {
  const turns = fc.array(
    fc.record({ waitMs: fc.nat(2_000), aheadMs: fc.array(fc.nat(500), { maxLength: 6 }) }),
    { minLength: 1, maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(turns, fc.integer({ min: 1, max: 4 }), async (steps, maxEvents) => {
      const { clock, batches, events, record } = open();
      const member = batches(maxEvents);
      const single = events();
      for (const { waitMs, aheadMs } of steps) {
        await clock.advance(waitMs);
        record(...aheadMs.map((ms) => clock.now() - ms));
      }
      await clock.advance(2 * latenessMs);
      record();
      let total = 0;
      for (const [index, { watermarkMs }] of member.items.entries()) {
        total += member.items[index]?.events.length ?? 0;
        const later = member.items.slice(index + 1).flatMap(timesOf);
        assert.ok(later.every((time) => time >= (watermarkMs ?? 0)));
      }
      assert.equal(total, single.items.length);
      assert.deepEqual(
        member.items.flatMap(timesOf),
        single.items.map(({ event }) => event.timestampUs / 1_000),
      );
    }),
  );
});

test('the watermark is there in the order by time, and null in the others', async () => {
  for (const order of ['TIMESTAMP', 'ARRIVAL', 'SEQUENCE'] as const) {
    const { clock, batches, record } = open(order);
    const member = batches(10);
    record(clock.now());
    await clock.advance(2 * latenessMs);
    record(clock.now());
    const [batch] = member.items;
    const expected = order === 'TIMESTAMP' ? clock.now() - latenessMs : null;
    assert.equal(batch?.watermarkMs, expected, order);
  }
});

test('what is delivered still counts when nobody is left who knows the topic by that name', async () => {
  const { clock, stream, batches, events, record } = open('ARRIVAL');
  const members = [events('one'), batches(10, 100, 'two')];
  record(clock.now());
  await clock.advance(100);
  assert.equal(stream.delivered, 2);
  for (const { subscription } of members) subscription.leave();
  assert.equal(stream.subscribers, 0);
  assert.equal(stream.delivered, 2);
  stream.close();
  assert.equal(clock.pending, 0);
});
