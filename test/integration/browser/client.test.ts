import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { openPage } from '../../support/browser.ts';
import { feedIs, runServer, testConfig } from '../../support/server.ts';
import { until } from '../../support/until.ts';

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
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: import.meta.dirname },
    bundle: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  });
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 3);
  const server = await runServer(t, testConfig(), { driver: kafka.driver() });
  const page = await openPage(t, 'about:blank');
  // In a page of the server's own: one that is made up counts as one of another network, which may not connect
  // to this machine.
  await page.addInitScript(
    `addEventListener('DOMContentLoaded', () => { ${outputFiles[0]?.text} });`,
  );
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
