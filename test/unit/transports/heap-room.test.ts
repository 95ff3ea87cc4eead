import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bytesForHeap,
  connectionsForHeap,
  topicsForHeap,
} from '../../../src/transports/heap-room.ts';
import { captureLog } from '../../support/captured-log.ts';
import { runServer, testConfig } from '../../support/server.ts';

test('a heap that was made small has room for so many connections', () => {
  assert.equal(connectionsForHeap(['', '--max-old-space-size=96']), 4_096);
  assert.equal(connectionsForHeap(['--max_old_space_size=4096']), 516_096);
  assert.equal(connectionsForHeap(['--no-warnings --max-old-space-size 96 --cpu-prof']), 4_096);
});

test('an option of the command line wins over one of the environment', () => {
  assert.equal(connectionsForHeap(['--max-old-space-size=4096', '--max-old-space-size=96']), 4_096);
});

test('in the smallest heap some are served, and one of which nothing is said is large', () => {
  assert.equal(connectionsForHeap(['--max-old-space-size=16']), 100);
  assert.equal(connectionsForHeap(['--max-semi-space-size=128']), Number.POSITIVE_INFINITY);
  assert.equal(connectionsForHeap([]), Number.POSITIVE_INFINITY);
});

for (const [what, settings, level] of [
  ['the usual number, which nobody asked for, is no warning', {}, 'debug'],
  ['as many as are configured is one', { MILLRACE_LIMITS_CONNECTIONS: '30000' }, 'warn'],
  [
    'the usual number, if it is configured, is one too',
    { MILLRACE_LIMITS_CONNECTIONS: '20000' },
    'warn',
  ],
] as const) {
  test(`that there is no room for ${what}`, async (t) => {
    const { NODE_OPTIONS } = process.env;
    process.env['NODE_OPTIONS'] = '--max-old-space-size=128';
    t.after(() => {
      if (NODE_OPTIONS === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = NODE_OPTIONS;
    });
    const log = captureLog();
    await runServer(t, testConfig(settings), { logger: log.logger });
    const { level: as, connections } = await log.logged('limits.connections');
    assert.deepEqual([as, connections], [level, 8_192]);
  });
}

const MiB = 2 ** 20;

test('a heap that was made small keeps a share of what the server does not take by itself', () => {
  assert.equal(bytesForHeap(64 * MiB, 1 / 8, ['--max-old-space-size=96']), 4 * MiB);
  assert.equal(bytesForHeap(2 * MiB, 1 / 8, ['--max-old-space-size=96']), 2 * MiB);
  assert.equal(bytesForHeap(64 * MiB, 1 / 8, []), 64 * MiB);
});

test('in the smallest heap little is kept, and never more than is wanted', () => {
  assert.equal(bytesForHeap(64 * MiB, 1 / 8, ['--max-old-space-size=16']), MiB / 2);
  assert.equal(bytesForHeap(1_000, 1 / 8, ['--max-old-space-size=16']), 1_000);
});

test('streams of a heap that was made small hold less, whatever is configured for their topic', () => {
  const { topics } = testConfig({
    MILLRACE_TOPICS_OVERRIDES: JSON.stringify({
      orders: { maxHeldBytes: '1GiB' },
      visits: { maxHeldBytes: '1MiB' },
      clicks: { lateness: '5s' },
    }),
  });
  const { defaults, overrides } = topicsForHeap(topics, ['--max-old-space-size=96']);
  assert.deepEqual(defaults, { ...topics.defaults, maxHeldBytes: 4 * MiB });
  assert.deepEqual(overrides, {
    orders: { maxHeldBytes: 4 * MiB },
    visits: { maxHeldBytes: MiB },
    clicks: { latenessMs: 5_000 },
  });
  assert.deepEqual(topicsForHeap(topics, []), topics);
});
