import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { openPage } from '../../support/browser.ts';
import { startExample } from '../../support/example.ts';
import { feedIs, runServer, testConfig } from '../../support/server.ts';

for (const name of ['react', 'vue'] as const) {
  test(`the example for ${name} shows what comes, and goes on after a restart`, async (t) => {
    const [port = 0, millracePort = 0] = await freePorts(2);
    const kafka = new EmbeddedKafka({ clock: systemClock });
    kafka.createTopic('acme.purchases', 3);
    const config = testConfig({
      MILLRACE_LISTEN_PORT: String(millracePort),
      MILLRACE_HTTP_ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
      MILLRACE_CURSORS_SECRET: 'the same before and after a restart',
    });
    const buy = (email: string): void => {
      const payload = { keen: { id: email }, user: { email }, amount: 5 };
      kafka.append('acme.purchases', { value: JSON.stringify(payload) });
    };
    const start = () => runServer(t, config, { driver: kafka.driver() });
    const server = await start();
    const page = await openPage(t, await startExample(t, name, { port, millrace: server.url }));
    await feedIs(server, 'acme.purchases');
    await page.getByRole('status').filter({ hasText: 'live' }).waitFor();
    buy('first@example.com');
    await page.getByText('first@example.com').waitFor();
    await server.close();
    buy('meanwhile@example.com');
    await start();
    await page.getByText('meanwhile@example.com').waitFor();
    assert.deepEqual(await page.getByRole('listitem').allTextContents(), [
      'meanwhile@example.com 5',
      'first@example.com 5',
    ]);
  });
}

test('an example says at once that its pages are not let in, and what to do', async (t) => {
  const server = await runServer(t, testConfig());
  const file = fileURLToPath(new URL('../../../examples/react/backend.ts', import.meta.url));
  const [port] = await freePorts(1);
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, PORT: String(port), MILLRACE_URL: server.url },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill());
  const origin = `http://127.0.0.1:${port}`;
  for await (const line of createInterface(child.stderr)) {
    assert.equal(
      line,
      `Millrace lets in no pages of ${origin}. Start it with MILLRACE_HTTP_ALLOWED_ORIGINS=${origin}`,
    );
    return;
  }
  assert.fail('it says nothing');
});
