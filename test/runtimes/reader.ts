/**
 * Takes events by `millrace/client` in whatever runs it, and prints the id of each: `reader.ts URL KEY`. It uses
 * nothing that only one of Node, Deno and Bun has.
 */
import { createClient } from '../../src/client/index.ts';

const [url = '', key = ''] = process.argv.slice(2);
const client = createClient({
  url,
  projectId: 'acme',
  key,
  backoff: { firstMs: 50, mostMs: 500 },
});
const feed = client.events('purchases', { order: 'ARRIVAL' });
feed.watch(({ name }) => {
  if (name === 'live') console.log(name);
});
for await (const event of feed) console.log(event.id);
