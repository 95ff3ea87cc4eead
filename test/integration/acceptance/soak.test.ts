import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCluster } from '../../support/kafka.ts';
import { soak } from '../../soak/soak.ts';

/** The short form of `npm run test:soak`; of the heap it would see only what is kept of each client for good. */
test('clients come and go, and the server holds no more than before', {
  skip: process.platform === 'linux' ? false : 'for Linux',
}, async (t) => {
  const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000_000);
  t.diagnostic(`MILLRACE_SEED=${seed}`);
  const { wrong, ...figures } = await soak(await sharedCluster(), {
    client: 'kafkajs',
    credentials: 'service',
    seed,
    atOnce: 20,
    topics: 3,
    warmUpMs: 3_000,
    churnMs: 5_000,
    margin: { heapShare: 0.3, heapBytes: 30_000_000 },
    log: (line) => t.diagnostic(line),
  });
  t.diagnostic(JSON.stringify(figures));
  assert.deepEqual(wrong, []);
});
