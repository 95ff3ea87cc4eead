import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { openPage } from '../../support/browser.ts';
import { startExample } from '../../support/example.ts';
import { feedIs, runServer, testConfig } from '../../support/server.ts';

test('the example shows a page what its user may see, and goes on after a break', async (t) => {
  const [port = 0, millracePort = 0] = await freePorts(2);
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 1);
  const config = testConfig({
    MILLRACE_LISTEN_PORT: String(millracePort),
    MILLRACE_HTTP_ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
    MILLRACE_CURSORS_SECRET: 'the same on both of the two servers',
  });
  const start = () => runServer(t, config, { driver: kafka.driver() });
  const buy = (country: string, email: string): void => {
    kafka.append('acme.purchases', {
      value: JSON.stringify({ keen: { id: email }, user: { country, email }, amount: 1 }),
    });
  };
  const server = await start();
  const page = await openPage(t, await startExample(t, 'browser', { port, millrace: server.url }));
  await feedIs(server, 'acme.purchases');
  buy('FR', 'hidden@example.com');
  buy('DE', 'first@example.com');
  await page.getByText('first@example.com').waitFor();

  await server.close();
  buy('DE', 'meanwhile@example.com');
  await start();
  await page.getByText('meanwhile@example.com').waitFor();
  const lines = await page.getByRole('listitem').allTextContents();
  assert.deepEqual(
    lines.map((line) => /\S+@/.exec(line)?.[0]),
    ['meanwhile@', 'first@'],
  );
});
