import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { EventMessage } from '../../../../src/hub/message.ts';
import { EventFrames } from '../../../../src/transports/plain/event-frames.ts';
import { messageText } from '../../../../src/transports/plain/message-text.ts';
import { SocketFrames } from '../../../../src/transports/plain/socket-frames.ts';
import type { SharedFrames } from '../../../../src/transports/shared-frames.ts';
import { nowhere, parcel } from '../../../support/parcels.ts';
import { sketched } from '../../../support/events.ts';
import { sentBy } from '../../../support/outgoing.ts';

function message(offset: number, json = '{"a":1}'): EventMessage {
  return new EventMessage('purchases', sketched({ offset, at: 1_000, json }), false, nowhere);
}

/** The very bytes that are written to a client. */
function written(frames: SharedFrames): Buffer {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  frames.writeTo(stream, undefined);
  const [chunk, another] = chunks;
  assert.ok(chunk && another === undefined);
  return chunk;
}

test('all clients get the very same buffer, one frame for each message', () => {
  const [first, second] = [message(1), message(2, `{"a":"${'x'.repeat(70_000)}"}`)];
  const frames = new SocketFrames(sentBy());
  const both = parcel(first, second);
  const bytes = written(frames.of(both, false));
  assert.equal(written(frames.of(both, false)), bytes);
  assert.equal(frames.of(both, false), frames.of(both, false));
  const texts = [messageText(first), messageText(second)];
  // Headers of 4 and of 10 bytes.
  assert.equal(bytes.length, texts.reduce((sum, { length }) => sum + length, 0) + 14);
  assert.deepEqual([...bytes.subarray(0, 2)], [0x81, 126]);
  assert.ok(bytes.subarray(4).includes(messageText(first)));
});

test('who wants it compressed gets the same of it too, also in another parcel', () => {
  const large = message(1, `{"a":"${'x'.repeat(1_000)}"}`);
  const frames = new SocketFrames(sentBy());
  const alone = written(frames.of(parcel(large), true));
  const pair = parcel(large, message(2));
  const both = written(frames.of(pair, true));
  assert.equal(frames.of(pair, true), frames.of(pair, true));
  assert.notEqual(frames.of(pair, true), frames.of(pair, false));
  assert.ok(alone.length < 300);
  assert.ok(both.subarray(0, alone.length).equals(alone));
  // FIN, RSV1 (compressed), text.
  assert.equal(alone[0], 0xc1);
  const start = (alone[1] ?? 0) < 126 ? 2 : 4;
  const deflated = Buffer.concat([
    alone.subarray(start),
    Buffer.from([0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]),
  ]);
  assert.ok(inflateRawSync(deflated).equals(messageText(large)));
});

test('server-sent events are the same for all as well, each on one line', () => {
  const frames = new EventFrames(sentBy());
  const one = parcel(message(1, '{\r\n"a":1}'));
  assert.equal(frames.of(one, 'chunked'), frames.of(one, 'chunked'));
  const text = written(frames.of(one, 'by the end')).toString();
  const [, json = ''] = /^event: event\nid: cursor\ndata: (.*)\n\n$/.exec(text) ?? [];
  assert.match(json, /"payload":\{ {2}"a":1\}/);
  assert.equal(JSON.parse(json).type, 'event');
});

test('a report of progress is a message of its own', () => {
  const progress = { ...parcel(), encode: () => 'here' };
  const frames = new SocketFrames(sentBy());
  for (const compresses of [false, true]) {
    const bytes = written(frames.of(progress, compresses));
    assert.equal(bytes.subarray(2).toString(), '{"type":"progress","cursor":"here"}');
  }
  assert.equal(
    written(new EventFrames(sentBy()).of(progress, 'by the end')).toString(),
    'event: progress\nid: here\ndata: {"type":"progress","cursor":"here"}\n\n',
  );
});
