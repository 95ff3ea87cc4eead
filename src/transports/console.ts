import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Route } from './http-server.ts';
import { respond } from './respond.ts';

/** What the fields of the console's sign-in show at first. */
export interface ConsoleStart {
  readonly projectId: string;
  readonly key: string;
}

/** Where `npm run build:console` puts the scripts and styles. */
const folder = new URL('../../dist/console/', import.meta.url);

const types = {
  'console.js': 'text/javascript',
  'console.css': 'text/css',
} as const;

/**
 * Nothing of other hosts, no inline scripts or styles, and no place in another page's frame. `data:` images are
 * the marks of the style sheet's form fields.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The console: one page for everybody. It holds nothing secret, and is served without credentials; what it
 * shows it asks for like any other client.
 */
export function consoleRoutes(start: ConsoleStart): (readonly [pattern: string, route: Route])[] {
  const page = pageOf(start);
  return [
    ['/console', (_request, response) => send(response, 'text/html', page)],
    ['/console/', ({ url = '' }, response) => sendBack(response, url)],
    [
      '/console/{file}',
      async (_request, response, [file]) => {
        if (file !== 'console.js' && file !== 'console.css') {
          return respond(response, 404, refusal('nothing is served at this path'));
        }
        const text = await fileText(file);
        if (text === undefined) {
          return respond(response, 404, refusal('not built yet: run `npm run build:console`'));
        }
        send(response, types[file], text);
      },
    ],
  ];
}

function pageOf(start: ConsoleStart): string {
  // In a script no character but `<` can end it.
  const json = JSON.stringify(start).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace console</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/console/console.css">
<script type="application/json" id="start">${json}</script>
<script type="module" src="/console/console.js"></script>
</head>
<body><div id="console"></div></body>
</html>
`;
}

async function fileText(file: string): Promise<string | undefined> {
  try {
    return await readFile(new URL(file, folder), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function send(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(text),
    'content-security-policy': contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  });
  response.end(text);
}

/** To the page, from its address with a slash behind it. */
function sendBack(response: ServerResponse, url: string): void {
  response.writeHead(308, { location: url.replace('/console/', '/console'), 'content-length': 0 });
  response.end();
}

function refusal(message: string): object {
  return { errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] };
}
