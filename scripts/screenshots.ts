/**
 * Takes the pictures of the documents: `node scripts/screenshots.ts URL DASHBOARD`, with the addresses that
 * `npm start` and `npm run example` print.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import chromium from '@sparticuz/chromium';
import { chromium as launcher } from 'playwright-core';

const [url = 'http://127.0.0.1:4000', dashboard = 'http://127.0.0.1:3000'] = process.argv.slice(2);
const folder = fileURLToPath(new URL('../docs/images/', import.meta.url));
mkdirSync(folder, { recursive: true });

const browser = await launcher.launch({
  executablePath: await chromium.executablePath(),
  args: chromium.args,
});
const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 1_360, height: 860 } });
const messages = page.getByRole('list', { name: 'Messages' });
await page.goto(`${url}/console`);
await page.getByRole('button', { name: 'Sign in' }).click();
await page.getByRole('button', { name: /purchases/ }).click();
// The chart is worth looking at once there is something in it.
await page.waitForTimeout(60_000);
await messages.getByRole('button').nth(2).click();
await page.screenshot({ path: `${folder}console.png` });
await page.getByRole('button', { name: /page_views/ }).click();
await page.getByRole('tab', { name: 'Dead letters' }).click();
await messages.getByRole('button').nth(1).click();
await page.screenshot({ path: `${folder}console-dead-letters.png` });

await page.setViewportSize({ width: 1_360, height: 760 });
await page.goto(`${url}/graphql`);
await page.getByRole('button', { name: /execute query/i }).click();
await page.getByRole('menuitem', { name: 'Purchases' }).click();
await page.getByText('"recordedAt"').first().waitFor();
await page.screenshot({ path: `${folder}graphiql.png` });
await page.setViewportSize({ width: 1_280, height: 800 });
await page.goto(dashboard);
await page.getByText('Live', { exact: true }).waitFor();
await page.screenshot({ path: `${folder}dashboard.png` });
await browser.close();
