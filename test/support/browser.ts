import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import chromium from '@sparticuz/chromium';
import { type Page, chromium as launcher } from 'playwright-core';

/** What its packager has it overlook: pages here are to be held to what those of users are. */
const lenient = new Set([
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
  '--disable-web-security',
]);

/** For a browser to start, and for a page to come to what is waited for, on a machine that is busy. */
const withinMs = 120_000;

/** A page of a real browser, which goes with the test. Faults of the page's scripts fail the test. */
export async function openPage(t: TestContext, url: string): Promise<Page> {
  const browser = await launcher.launch({
    executablePath: await unpacked(),
    args: chromium.args.filter((argument) => !lenient.has(argument)),
    headless: true,
    timeout: withinMs,
  });
  t.after(() => browser.close());
  const page = await browser.newPage({
    // Without one it is that of the process, which may be none.
    locale: 'en-GB',
    viewport: { width: 1_360, height: 800 },
  });
  page.setDefaultTimeout(withinMs);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  t.after(() => {
    if (faults.length > 0) throw new Error(`faults of the page: ${faults.join('; ')}`);
  });
  await page.goto(url);
  return page;
}

/**
 * Where the browser is. Its package unpacks it into the temporary folder, and takes it from there as soon as
 * there is a file of its name, half written or not, as by another test file that began a moment before. So it is
 * unpacked where nobody looks, and gets its place when it is whole.
 */
async function unpacked(): Promise<string> {
  const { devDependencies } = Object(JSON.parse(readFileSync('package.json', 'utf8')));
  const folder = join(tmpdir(), `millrace-browser-${devDependencies['@sparticuz/chromium']}`);
  const executable = join(folder, 'chromium');
  if (existsSync(executable)) return executable;
  const unfinished = mkdtempSync(`${folder}-`);
  const packager = JSON.stringify(import.meta.resolve('@sparticuz/chromium'));
  const unpack = `import chromium from ${packager}; await chromium.executablePath();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', unpack], {
    env: { ...process.env, TMPDIR: unfinished },
  });
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // Another has been first.
    if (!existsSync(executable)) throw error;
    rmSync(unfinished, { recursive: true });
  }
  return executable;
}
