import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { openPage } from '../../support/browser.ts';
import { feedIs, runServer, testConfig } from '../../support/server.ts';
import { until } from '../../support/until.ts';

/** A program as the script of a page. */
async function bundled(program: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  });
  return `addEventListener('DOMContentLoaded', () => { ${outputFiles[0]?.text} });`;
}

/** What the page does: it lists in its storage what it gets, in the same turn in which the cursor is stored. */
const script = `
  import { createClient } from 'millrace/client';
  const client = createClient({ url: '/', projectId: 'acme', key: 'acme-read' });
  const feed = client.events('purchases', { storage: sessionStorage, storageKey: 'place' });
  feed.subscribe({
    next: ({ id }) => {
      sessionStorage.setItem('ids', (sessionStorage.getItem('ids') ?? '') + id + ' ');
    },
    state: ({ name }) => document.documentElement.setAttribute('data-state', name),
  });
`;

test('a page that keeps its cursor in sessionStorage is reloaded without losing or repeating an event', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 3);
  const server = await runServer(t, testConfig(), { driver: kafka.driver() });
  const page = await openPage(t, 'about:blank');
  // In a page of the server's own: one that is made up counts as one of another network, which may not connect
  // to this machine.
  await page.addInitScript(await bundled(script));
  let recorded = 0;
  const record = (count: number): void => {
    for (let each = 0; each < count; each += 1) {
      const value = JSON.stringify({ keen: { id: `e${recorded}` }, sequence_number: recorded });
      kafka.append('acme.purchases', { partition: recorded % 3, value });
      recorded += 1;
    }
  };
  const seen = () => page.evaluate(() => sessionStorage.getItem('ids')?.trim().split(' ') ?? []);
  await page.goto(`${server.url}/console`);
  await feedIs(server, 'acme.purchases');
  for (let reload = 0; reload < 4; reload += 1) {
    record(20);
    // Some have come and some have not.
    if (reload % 2 === 0) await until('some', async () => (await seen()).length > 5 * reload);
    await page.reload();
    record(20);
  }
  await until('all', async () => (await seen()).length >= recorded);
  const ids = await seen();
  assert.equal(ids.length, recorded);
  assert.equal(new Set(ids).size, recorded);
  await page.locator('[data-state=live]').waitFor();
});

/** What the page does: it says until when it waits to connect again. */
const waitingScript = `
  import { createClient } from 'millrace/client';
  const client = createClient({ url: '/', projectId: 'acme', key: 'acme-read' });
  client.events('purchases').watch(({ untilMs = '' }) => {
    document.documentElement.setAttribute('data-until', untilMs);
  });
`;

test('a browser that is online again, or is looked at again, has a feed wait no longer than at first', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 1);
  const server = await runServer(t, testConfig(), { driver: kafka.driver() });
  const page = await openPage(t, 'about:blank');
  await page.clock.install();
  await page.addInitScript(await bundled(waitingScript));
  await page.goto(`${server.url}/console`);
  await server.close();
  const waitMs = () =>
    page.evaluate(() => Number(document.documentElement.getAttribute('data-until')) - Date.now());
  /** Lets it fail until it waits for long. */
  const fails = async (): Promise<void> => {
    for (let left = await waitMs(); left < 5_000; left = await waitMs()) {
      await page.clock.runFor(Math.max(left, 0) + 1);
    }
  };
  await fails();
  await page.context().setOffline(true);
  await page.context().setOffline(false);
  await until('the browser tells that it is online', async () => (await waitMs()) <= 500);
  await fails();
  await page.evaluate(() =>
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true })),
  );
  assert.ok((await waitMs()) <= 500);
});
