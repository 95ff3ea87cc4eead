import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { openPage } from '../../support/browser.ts';
import { startExample } from '../../support/example.ts';
import { openLine } from '../../support/line.ts';
import { runServer, testConfig } from '../../support/server.ts';
import { until } from '../../support/until.ts';

/** How long the network is gone, in milliseconds: `TEST_LONG=1` takes half a minute. */
const cutMs = process.env['TEST_LONG'] ? 30_000 : 2_000;

const topics = ['purchases', 'signups', 'page_views'];

interface Bought {
  readonly id: string;
  readonly at: string;
}

/** Purchases and dead letters as they are recorded, and as the page is to show them. */
class Shop {
  readonly kafka = new EmbeddedKafka({ clock: systemClock });
  readonly bought: Bought[] = [];
  refused = 0;

  constructor() {
    for (const topic of topics) {
      this.kafka.createTopic(`acme.${topic}`, 3);
      this.kafka.createTopic(`acme.${topic}-dlq`, 3);
    }
  }

  /** Out of order by up to 100 ms, each third one twice, and a record that is no JSON. */
  sell(count: number): void {
    const nowMs = Date.now();
    for (let each = 0; each < count; each += 1) {
      const number = this.bought.length;
      const ms = new Date(nowMs - ((each * 37) % 100)).toISOString().slice(0, -1);
      // No two at the same microsecond.
      const at = `${ms}${String(number).padStart(3, '0')}Z`;
      const id = `purchase ${number}`;
      this.bought.push({ id, at });
      const value = JSON.stringify({
        keen: { id, timestamp: at },
        user: { email: `${number}@example.com`, country: 'DE' },
        item: { name: 'Sencha', quantity: 1 },
        amount: 14.9,
        currency: 'EUR',
      });
      const record = { value, timestampMs: nowMs };
      this.kafka.append('acme.purchases', { partition: each % 3, ...record });
      if (each % 3 === 0) {
        this.kafka.append('acme.purchases', { partition: (each + 1) % 3, ...record });
      }
    }
    this.kafka.append('acme.purchases', { partition: 0, value: `no JSON ${this.refused}` });
    this.refused += 1;
  }

  /** By time: the order in which they are to be shown. */
  get inOrder(): string[] {
    return this.bought.toSorted((a, b) => (a.at < b.at ? -1 : 1)).map(({ id }) => id);
  }
}

/** Ids of what the page shows, the oldest first. */
async function shown(page: Page, list: string): Promise<(string | null)[]> {
  const rows = page.getByRole('region', { name: list }).locator('[data-id]');
  const ids = await rows.evaluateAll((found) => found.map((row) => row.getAttribute('data-id')));
  return ids.toReversed();
}

test(`the dashboard survives a restart, a cut of ${cutMs} ms and a reload without losing or repeating an event`, async (t) => {
  const shop = new Shop();
  const [port = 0, millracePort = 0, linePort = 0] = await freePorts(3);
  const config = testConfig({
    MILLRACE_LISTEN_PORT: String(millracePort),
    MILLRACE_HTTP_ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
    MILLRACE_CURSORS_SECRET: 'the same before and after a restart',
    MILLRACE_TOKENS_SECRET: 'the same before and after a restart',
  });
  const start = () => runServer(t, config, { driver: shop.kafka.driver() });
  const server = await start();
  const line = await openLine(t, millracePort, linePort);
  shop.sell(10);
  const page = await openPage(t, await startExample(t, 'dashboard', { port, millrace: line.url }));
  const stateIs = (name: string) => page.getByRole('status').filter({ hasText: name }).waitFor();
  const allShown = (): Promise<void> =>
    until(
      `${shop.bought.length} purchases`,
      async () =>
        (await shown(page, 'Latest purchases')).length >= shop.bought.length &&
        (await shown(page, 'Dead letters')).length >= shop.refused,
    );
  await stateIs('Live');
  await allShown();

  await server.close();
  await stateIs('Connection lost');
  shop.sell(10);
  await start();
  shop.sell(10);
  await allShown();

  line.cut();
  await stateIs('Connection lost');
  shop.sell(10);
  await sleep(cutMs);
  line.mend();
  shop.sell(10);
  await allShown();

  shop.sell(10);
  const reloaded = page.reload();
  shop.sell(10);
  await reloaded;
  shop.sell(10);
  await allShown();
  await stateIs('Live');

  assert.deepEqual(await shown(page, 'Latest purchases'), shop.inOrder);
  const letters = await shown(page, 'Dead letters');
  assert.equal(letters.length, shop.refused);
  assert.equal(new Set(letters).size, shop.refused);
  const total = page
    .getByRole('region', { name: 'Purchases', exact: true })
    .locator('[data-total]');
  assert.equal(await total.getAttribute('data-total'), String(shop.bought.length));
});
