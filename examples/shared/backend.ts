/**
 * The backend of an app whose pages show events of Millrace: it keeps the key, gives each page a token for what its
 * user may see, and serves the page, which it bundles when it starts.
 */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { env } = process;

/** Where Millrace is, and what this backend is let in by. The key never leaves it. */
const millrace = env['MILLRACE_URL'] ?? 'http://127.0.0.1:4000';
const project = env['MILLRACE_PROJECT'] ?? 'acme';
const key = env['MILLRACE_KEY'] ?? 'acme-read-k3Jt9wQz';

export interface App {
  readonly title: string;
  /** The page's first script. */
  readonly entry: URL;
  /** What the one who asks may see. Yours looks at the session, and answers 401 if there is none. */
  readonly scope: { readonly topics: readonly string[]; readonly filter?: readonly object[] };
}

/** A file of the page. */
interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const types: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css' };

/** The server of an app; it does not listen yet. */
export async function createBackend(app: App): Promise<Server> {
  const assets = await bundle(app);
  return createServer((request, response) => {
    answer(request, response, app, assets).catch((error: unknown) => {
      console.error(`Millrace cannot be reached: ${String(Object(error).cause ?? error)}`);
      response.writeHead(502).end('{}');
    });
  });
}

async function bundle({ entry, title }: App): Promise<ReadonlyMap<string, Asset>> {
  const { outputFiles } = await build({
    entryPoints: { app: fileURLToPath(entry) },
    outdir: '/',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const assets = new Map<string, Asset>();
  for (const { path, contents } of outputFiles) {
    const name = path.replace(/^.*[\\/]/, '/');
    assets.set(name, { type: types[name.split('.').pop() ?? ''] ?? '', bytes: contents });
  }
  const style = assets.has('/app.css') ? '<link rel="stylesheet" href="/app.css">' : '';
  const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
${style}
<body data-millrace="${millrace}">
<script type="module" src="/app.js"></script>
`;
  return assets.set('/', { type: 'text/html', bytes: Buffer.from(page) });
}

async function answer(
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  { scope }: App,
  assets: ReadonlyMap<string, Asset>,
): Promise<void> {
  if (method === 'POST' && url === '/token') return answerWithToken(response, scope);
  const asset = assets.get(url);
  if (asset === undefined) response.writeHead(404).end();
  else response.writeHead(200, { 'content-type': `${asset.type}; charset=utf-8` }).end(asset.bytes);
}

async function answerWithToken(response: ServerResponse, scope: App['scope']): Promise<void> {
  const answer = await fetch(`${millrace}/tokens`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${project}:${key}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ ...scope, expiresIn: '15m' }),
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

/** Says at once what would be hard to see in a page. @param origin of the page */
async function lookForMillrace(origin: string): Promise<void> {
  try {
    const { status } = await fetch(`${millrace}/health/live`, { headers: { origin } });
    if (status !== 403) return;
    console.error(
      `Millrace lets in no pages of ${origin}. Start it with MILLRACE_HTTP_ALLOWED_ORIGINS=${origin}`,
    );
  } catch {
    console.error(
      `Millrace is not at ${millrace}. Run npm start, or say where it is: MILLRACE_URL=...`,
    );
  }
}

/** Serves the app, says where, and opens it where somebody sits before it. `PORT`: where it listens. @default 3000 */
export async function serve(app: App): Promise<void> {
  const server = await createBackend(app);
  const port = Number(env['PORT'] ?? 3_000);
  server.once('error', ({ message }) => {
    console.error(`${message}. Another port: PORT=3001, which Millrace must allow as an origin.`);
    process.exitCode = 1;
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    if (address === null || typeof address === 'string') return;
    const url = `http://127.0.0.1:${address.port}`;
    console.log(`Open ${url}  (Millrace: ${millrace})`);
    if (process.stdout.isTTY) open(url);
  });
  await lookForMillrace(`http://127.0.0.1:${port}`);
}

/** In the browser, if the system knows how to. */
function open(url: string): void {
  const command = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const opening = spawn(command, [url], { stdio: 'ignore', detached: true });
  // The address is printed in any case.
  opening.on('error', () => undefined);
  opening.unref();
}
