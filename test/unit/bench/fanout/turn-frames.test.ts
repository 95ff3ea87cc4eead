import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameParser } from '../../../../bench/fanout/client/frames.ts';
import { TurnFrames } from '../../../../bench/fanout/servers/turn-frames.ts';

test('each id gets every message, with its own id in it', () => {
  const tails = ['"}', `${'x'.repeat(200)}"}`, `${'y'.repeat(70_000)}"}`];
  const shared = new TurnFrames('{"id":"', tails);
  const ids = ['1', '2', 'longer'];
  for (const asked of [ids, ids.toReversed(), ['2']]) {
    const messages: string[] = [];
    const parser = new FrameParser((_code, bytes, start, end) => {
      messages.push(bytes.toString('utf8', start, end));
    });
    parser.take(shared.for(asked.map((id) => Buffer.from(id))));
    assert.deepEqual(
      messages,
      asked.flatMap((id) => tails.map((tail) => `{"id":"${id}${tail}`)),
    );
  }
});
