import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import { openPage } from '../../support/browser.ts';
import { feedIs, runEmbedded, runServer, testConfig } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import '../../../scripts/build-console.ts';

test('the console shows events and dead letters as they come, and why it cannot', async (t) => {
  const { server, kafka } = await runEmbedded(t, {
    topics: ['acme.purchases', 'acme.purchases-dlq'],
  });
  const page = await openPage(t, 'about:blank');
  const foreign: string[] = [];
  const blocked: string[] = [];
  page.on('request', (request) => {
    if (!/^(data|blob|ws):/.test(request.url()) && !request.url().startsWith(server.url)) {
      foreign.push(request.url());
    }
  });
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) blocked.push(message.text());
  });
  await page.goto(`${server.url}/console`);

  await page.getByLabel('Project id').fill('acme');
  await page.getByLabel('Key').fill('not-the-key');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();

  await page.getByLabel('Key').fill('acme-read');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'purchases' }).waitFor();
  await page.getByRole('status').getByText('live').waitFor();
  await feedIs(server, 'acme.purchases');
  kafka.append('acme.purchases', event('first', 'DE'));
  await page.getByRole('list', { name: 'Messages' }).getByText('first', { exact: true }).click();
  await page.getByText('"country": "DE"').waitFor();
  // It is held for its reader, and goes on when it is closed.
  kafka.append('acme.purchases', event('second', 'DE'));
  await page.getByRole('button', { name: 'Go on (1 new)' }).waitFor();
  const messages = page.getByRole('list', { name: 'Messages' });
  assert.equal(await messages.getByRole('listitem').count(), 1);
  await page.keyboard.press('Escape');
  await messages.getByText('second', { exact: true }).waitFor();
  // From the newest the arrow keys lead to the others.
  await messages.getByRole('button').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await messages.getByRole('button', { name: 'first', expanded: true }).waitFor();

  await page.getByRole('button', { name: '+ Filter' }).click();
  await page.getByLabel('Value of the filter').fill('FR');
  await page.getByLabel('Property of the filter').fill('user.country');
  await page.getByLabel('Property of the filter').press('Tab');
  await page.getByText('Waiting for events…').waitFor();
  await page.getByRole('status').getByText('live').waitFor();
  kafka.append('acme.purchases', event('German', 'DE'));
  kafka.append('acme.purchases', event('French', 'FR'));
  await page.getByText('French', { exact: true }).waitFor();
  assert.equal(await page.getByText('German', { exact: true }).count(), 0);

  await page.getByRole('tab', { name: 'Dead letters' }).click();
  await page.getByText('No dead letters since').waitFor();
  await page.getByRole('status').getByText('live').waitFor();
  kafka.append('acme.purchases-dlq', { value: '{"event":"{not json","error":"went astray"}' });
  await page.getByText('went astray').waitFor();
  await page.getByText('{not json').waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  assert.deepEqual({ foreign, blocked }, { foreign: [], blocked: [] });
});

test('the console goes on when the server has been restarted, and takes its tokens no more', async (t) => {
  // Of those that the system does not deal out to others meanwhile.
  const [port] = await freePorts(1);
  const settings = { MILLRACE_LISTEN_PORT: String(port) };
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'], settings });
  const page = await openPage(t, `${server.url}/console`);
  await page.getByLabel('Project id').fill('acme');
  await page.getByLabel('Key').fill('acme-read');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('status').getByText('live').waitFor();

  await server.close();
  await page.getByText('The server cannot be reached').waitFor();
  const restarted = await runServer(t, testConfig(settings), { driver: kafka.driver() });
  await feedIs(restarted, 'acme.purchases');
  kafka.append('acme.purchases', event('afterwards', 'DE'));
  await page
    .getByRole('list', { name: 'Messages' })
    .getByText('afterwards', { exact: true })
    .waitFor();
  await until(
    'the overview comes again',
    async () => (await page.getByText('The server cannot be reached').count()) === 0,
  );
  assert.equal(await page.getByRole('button', { name: 'Sign out' }).count(), 1);
});

test('where the console is switched off, nothing is served at its path', async (t) => {
  const { server } = await runEmbedded(t, {
    topics: [],
    settings: { MILLRACE_HTTP_CONSOLE: 'false' },
  });
  const { status } = await fetch(`${server.url}/console`);
  assert.equal(status, 404);
});

function event(id: string, country: string): { value: string } {
  return { value: JSON.stringify({ keen: { id }, user: { country } }) };
}
