/**
 * The backend of an app whose pages show events of Millrace: it keeps the key, and gives each page a token
 * for what its user may see. docs/tokens.md explains it.
 */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';

const { env } = process;
const millrace = env['MILLRACE_URL'] ?? 'http://127.0.0.1:4000';
const project = env['MILLRACE_PROJECT'] ?? 'acme';
const key = env['MILLRACE_KEY'] ?? 'acme-read-k3Jt9wQz';
const port = Number(env['PORT'] ?? 3_000);

const page = readFileSync(new URL('index.html', import.meta.url), 'utf8')
  // Where the page finds Millrace.
  .replace('{{millrace}}', millrace);

/** What the one who asks may see. Yours looks at the session, and answers 401 if there is none. */
function scopeOf(): object {
  return {
    topics: ['purchases'],
    filter: [{ property: 'user.country', operator: 'EQ', value: 'DE' }],
  };
}

async function answerWithToken(response: ServerResponse): Promise<void> {
  const answer = await fetch(`${millrace}/tokens`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${project}:${key}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    // For a URL, as EventSource cannot send it in any other way.
    body: JSON.stringify({ ...scopeOf(), expiresIn: '1h', singleUse: true }),
  });
  const text = await answer.text();
  if (!answer.ok) console.error(`Millrace makes no token: ${text}`);
  response
    .writeHead(answer.ok ? 200 : 502, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
    })
    .end(answer.ok ? text : '{}');
}

const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/token') {
    answerWithToken(response).catch((error: unknown) => {
      console.error('Millrace cannot be reached:', error);
      response.writeHead(502).end('{}');
    });
  } else {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
  }
});
server.once('error', ({ message }) => {
  console.error(`${message}. Another port: PORT=3001, which Millrace must allow as an origin.`);
  process.exitCode = 1;
});
server.listen(port, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') console.log(`Open http://127.0.0.1:${address?.port}`);
});
