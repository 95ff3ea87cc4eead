import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createGunzip } from 'node:zlib';
import type { MadePage } from './graphiql-page.ts';

/** What a newcomer finds in GraphiQL. */
export interface GraphiqlStart {
  readonly query: string;
  /** JSON. */
  readonly headers: string;
}

/** The same kind of file as this one, which the package holds as JavaScript. */
const maker = new URL(`./graphiql-page${extname(import.meta.url)}`, import.meta.url);

/**
 * GraphiQL as one page of HTML, the same for everybody, and all of it from here: it works without a network.
 *
 * The page has 9 MB, and its package takes 30 MB of heap that are never given back. It is therefore put together
 * in a thread of its own, when it is first asked for, and kept as the 2.5 MB that it has when it is compressed,
 * outside of the heap: somebody without credentials may ask for it, as often as he likes.
 */
export function graphiqlPage(start: GraphiqlStart): () => Promise<MadePage> {
  let page: Promise<MadePage> | undefined;
  return () => {
    page ??= makePage(start).catch((error: unknown) => {
      page = undefined;
      throw error;
    });
    return page;
  };
}

function makePage(start: GraphiqlStart): Promise<MadePage> {
  const { promise, resolve, reject } = Promise.withResolvers<MadePage>();
  new Worker(maker, { workerData: start })
    .once('message', resolve)
    .once('error', reject)
    .once('exit', (code) => reject(new Error(`the maker of GraphiQL has ended with ${code}`)));
  return promise;
}

/** Answers with the page, compressed for who takes it so: every browser does. */
export function respondGraphiql(
  { headers }: IncomingMessage,
  response: ServerResponse,
  { gzipped, policy }: MadePage,
): void {
  const takesGzip = /\bgzip\b/.test(String(headers['accept-encoding']));
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
    'cache-control': 'no-store',
    vary: 'accept-encoding',
    ...(takesGzip && { 'content-encoding': 'gzip', 'content-length': gzipped.byteLength }),
  });
  if (takesGzip) {
    response.end(Buffer.from(gzipped));
    return;
  }
  const page = createGunzip();
  page.pipe(response);
  response.once('close', () => page.destroy());
  page.end(Buffer.from(gzipped));
}

/** Somebody opens the address in a browser, rather than a program that sends an operation. */
export function isForBrowser({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept?.includes('text/html') ?? false);
}
