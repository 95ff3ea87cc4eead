import type { TestContext } from 'node:test';
import chromium from '@sparticuz/chromium';
import { type Page, chromium as launcher } from 'playwright-core';

/** What its packager has it overlook: pages here are to be held to what those of users are. */
const lenient = new Set([
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
  '--disable-web-security',
]);

/** A page of a real browser, which goes with the test. Faults of the page's scripts fail the test. */
export async function openPage(t: TestContext, url: string): Promise<Page> {
  const browser = await launcher.launch({
    executablePath: await chromium.executablePath(),
    args: chromium.args.filter((argument) => !lenient.has(argument)),
    headless: true,
  });
  t.after(() => browser.close());
  const page = await browser.newPage({
    // Without one it is that of the process, which may be none.
    locale: 'en-GB',
    viewport: { width: 1_360, height: 800 },
  });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  t.after(() => {
    if (faults.length > 0) throw new Error(`faults of the page: ${faults.join('; ')}`);
  });
  await page.goto(url);
  return page;
}
