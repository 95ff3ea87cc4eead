import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { Sent } from '../../../src/transports/sent.ts';
import { SharedFrames } from '../../../src/transports/shared-frames.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

test('what is written is counted with each write, and told once for all of a turn', async () => {
  const clock = new ManualClock();
  const told: (readonly [lagMs: number, deliveries: number])[] = [];
  const sent = new Sent(clock, (lagMs, deliveries) => told.push([lagMs, deliveries]));
  const by = sent.by['feed-ws'];
  const nowMs = clock.now();
  const recordedAtMs = [nowMs - 10, nowMs - 5, nowMs + 60_000];
  const frames = new SharedFrames(Buffer.from('three'), [], {
    sent: by,
    messages: 3,
    recordedAtMs,
  });
  const comment = new SharedFrames(Buffer.from(':'));
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  for (let client = 0; client < 4; client += 1) {
    frames.writeTo(stream, undefined);
    comment.writeTo(stream, undefined);
  }
  frames.copyTo(Buffer.alloc(5), 0, undefined);
  assert.deepEqual(told, []);
  await settle();
  // A broker's clock that is ahead makes no negative lag.
  assert.deepEqual(told.splice(0), [
    [10, 5],
    [5, 5],
    [0, 5],
  ]);
  assert.deepEqual(by.take(), { messages: 15, bytes: 25 });
  assert.deepEqual(by.take(), { messages: 0, bytes: 0 });

  // To who was slow it goes later, and older.
  await clock.advance(100);
  frames.writeTo(stream, undefined);
  await settle();
  assert.deepEqual(told[0], [110, 1]);
  assert.deepEqual(by.take(), { messages: 3, bytes: 5 });
  assert.deepEqual(sent.by['graphql-ws'].take(), { messages: 0, bytes: 0 });
});
