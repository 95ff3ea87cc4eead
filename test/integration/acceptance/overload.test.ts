import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storm } from '../../overload/storm.ts';
import { sharedCluster } from '../../support/kafka.ts';

/** The small form of `npm run test:overload`. */
const canOverload = process.platform === 'linux' ? false : 'for Linux';

test('a server is killed under its clients: all are back soon, with few logins, and each goes on where it was', {
  skip: canOverload,
}, async (t) => {
  const log = (line: string): void => t.diagnostic(line);
  const figures = await storm({ kafka: await sharedCluster(), clients: 200, log });
  t.diagnostic(JSON.stringify(figures));
  assert.ok(figures.allBackMs < 60_000);
  assert.ok(figures.logins < 40, `${figures.logins} logins`);
  assert.equal(figures.anomalies, 0);
});
