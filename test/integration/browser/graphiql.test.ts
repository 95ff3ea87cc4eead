import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { openPage } from '../../support/browser.ts';
import { basic } from '../../support/graphql-client.ts';
import { feedIs, runServer, testConfig } from '../../support/server.ts';

test('GraphiQL shows events with one click, without asking anyone else for its scripts', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 3);
  const server = await runServer(t, testConfig(), {
    driver: kafka.driver(),
    graphiql: {
      query: 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }',
      headers: JSON.stringify({
        Authorization: basic({ projectId: 'acme', key: 'acme-read' }),
      }),
    },
  });
  const page = await openPage(t, 'about:blank');
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !/^(data|blob):/.test(request.url())) {
      foreign.push(request.url());
    }
  });
  await page.goto(`${server.url}/graphql`);
  await page.getByRole('button', { name: /execute query/i }).click();
  await feedIs(server, 'acme.purchases');
  kafka.append('acme.purchases', { value: '{"keen":{"id":"seen in the browser"}}' });
  await page.getByText('seen in the browser').waitFor();

  await page.reload();
  await page.getByRole('button', { name: /execute query/i }).waitFor();
  await page.locator('.graphiql-query-editor').getByText('subscription').waitFor();
  assert.equal(await page.locator('.graphiql-tab').count(), 1);
  assert.deepEqual(foreign, []);
});
