import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { beginning } from '../../../src/hub/cursor/stream-position.ts';
import { Allowances } from '../../../src/transports/allowance/allowances.ts';
import { eventFrames, EventStream } from '../../../src/transports/event-stream.ts';
import { Heartbeat } from '../../../src/transports/heartbeat.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { outgoing } from '../../support/outgoing.ts';
import { portOf } from '../../support/websocket.ts';

test('the last words come after what waited until the project may be sent more', async (t) => {
  const clock = new ManualClock();
  const heartbeat = new Heartbeat(clock, 12_000);
  const allowances = new Allowances({
    clock,
    maxConnectionsPerProject: 1,
    bytesPerSecondPerProject: 1_000,
  });
  allowances.spend('acme', 100_000);
  const server = createServer((_request, response) => {
    const options = { ...outgoing({ allowances }), heartbeat };
    const use = { transport: 'feed-sse', projectId: 'acme', onClose: () => undefined } as const;
    const stream = new EventStream(response, options, use);
    const owner = { mark: undefined, lost: () => assert.fail('something was lost') };
    for (const data of ['one', 'two']) {
      stream.outbox.push(eventFrames(`data: ${data}\n\n`, stream.division), owner, beginning);
    }
    setImmediate(() => {
      assert.equal(stream.outbox.waitsForBudget, true);
      stream.end('data: last\n\n');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    heartbeat.stop();
    server.close();
  });
  const answer = await fetch(`http://127.0.0.1:${portOf(server)}`);
  assert.equal(await answer.text(), ':\n\ndata: one\n\ndata: two\n\ndata: last\n\n');
});
