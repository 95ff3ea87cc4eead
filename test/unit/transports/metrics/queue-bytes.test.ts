import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { metricsOf } from '../../../support/metrics.ts';
import { runEmbedded } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';

/** More than systems keep of what a client on the same machine does not take. */
const answerBytes = 15_000_000;
const query = '{ recentEvents(topic: "purchases") { payload } }';

async function serveMuch(t: TestContext): Promise<URL> {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  const each = 500_000;
  for (let bytes = 0; bytes < answerBytes; bytes += each) {
    kafka.append('acme.purchases', { partition: 0, value: `"${'x'.repeat(each)}"` });
  }
  return new URL(server.url);
}

async function queueIs(url: URL, holds: (bytes: number) => boolean): Promise<void> {
  await until('the bytes that are queued', async () => {
    const bytes = (await metricsOf(url.origin)).get('millrace_queue_bytes');
    return bytes !== undefined && holds(bytes);
  });
}

const isMuch = (bytes: number): boolean => bytes > 1_000_000 && bytes < answerBytes * 1.1;
const isNothing = (bytes: number): boolean => bytes === 0;

test('an answer over HTTP is counted as queued until its client has taken it', async (t) => {
  const url = await serveMuch(t);
  await queueIs(url, isNothing);
  const client = connect(Number(url.port), url.hostname);
  t.after(() => client.destroy());
  const body = JSON.stringify({ query });
  client.write(
    [
      'POST /graphql HTTP/1.1',
      'host: millrace',
      `authorization: Basic ${Buffer.from('acme:acme-read').toString('base64')}`,
      'content-type: application/json',
      `content-length: ${body.length}`,
      '',
      body,
    ].join('\r\n'),
  );
  await queueIs(url, isMuch);
  client.resume();
  await queueIs(url, isNothing);
});

test('an answer over a WebSocket is counted as queued until its client has taken it', async (t) => {
  const url = await serveMuch(t);
  const client = new WebSocket(`ws://${url.host}/graphql`, 'graphql-transport-ws');
  t.after(() => client.terminate());
  await once(client, 'open');
  const payload = { projectId: 'acme', key: 'acme-read' };
  client.send(JSON.stringify({ type: 'connection_init', payload }));
  await once(client, 'message');
  client.pause();
  client.send(JSON.stringify({ id: 'q', type: 'subscribe', payload: { query } }));
  await queueIs(url, isMuch);
  client.resume();
  await queueIs(url, isNothing);
});
