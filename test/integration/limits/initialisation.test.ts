import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { graphqlSse, graphqlWs } from '../../conformance/transports/graphql.ts';
import { plainSse, plainWs, plainWsByHeader } from '../../conformance/transports/plain.ts';
import { basic } from '../../support/graphql-client.ts';
import { metricsOf } from '../../support/metrics.ts';
import { runServer, testConfig } from '../../support/server.ts';
import { standingStill } from '../../support/standing-still.ts';

async function serveInTime(t: TestContext): Promise<string> {
  const config = testConfig({
    MILLRACE_KAFKA_CREDENTIALS: 'client',
    MILLRACE_AUTH_PROJECTS: '[]',
    MILLRACE_LIMITS_INIT_TIMEOUT: '200ms',
  });
  return (await runServer(t, config, { driver: standingStill('login').driver })).url;
}

test('who asks for a token and cannot be verified in time is let go', async (t) => {
  const url = await serveInTime(t);
  const response = await fetch(`${url}/tokens`, {
    method: 'POST',
    headers: {
      authorization: basic({ projectId: 'acme', key: 'any' }),
      'content-type': 'application/json',
    },
    body: '{}',
  });
  assert.equal(response.status, 429);
  assert.match(
    await response.text(),
    /LIMIT_EXCEEDED.*limits\.initTimeout|limits\.initTimeout.*LIMIT_EXCEEDED/,
  );
  const series = await metricsOf(url);
  assert.equal(series.get('millrace_limits_hit_total{limit="limits.initTimeout"}'), 1);
});

for (const transport of [graphqlWs, graphqlSse, plainWs, plainWsByHeader, plainSse]) {
  test(`who cannot be verified in time is let go: ${transport.name}`, async (t) => {
    const url = await serveInTime(t);
    const login = { projectId: 'acme', key: 'any' };
    const request = { holds: 'events', topic: 'purchases', arguments: {} } as const;
    const { status, code, closeCode, message } = await transport.subscribe(t, url, login, request)
      .ended;
    const series = await metricsOf(url);
    if (closeCode === undefined) {
      assert.deepEqual([status, code], [429, 'LIMIT_EXCEEDED']);
      assert.match(message, /200 ms \(limits\.initTimeout\)/);
      assert.equal(series.get('millrace_limits_hit_total{limit="limits.initTimeout"}'), 1);
    } else {
      // Clients of graphql-transport-ws come back after this code.
      assert.equal(closeCode, 4408);
      const closes = `millrace_closes_total{transport="${transport.label}",code="4408"}`;
      assert.equal(series.get(closes), 1);
    }
  });
}
