import type { IncomingMessage } from 'node:http';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { type Page, pageOf } from '../security-headers.ts';

/** What a newcomer finds in GraphiQL. */
export interface GraphiqlStart {
  readonly query: string;
  /** JSON. */
  readonly headers: string;
}

/**
 * GraphiQL as one page of HTML, the same for everybody. Its scripts are carried by the package: it
 * works without a network, and asks nobody else for them. Made when it is first asked for: it has 9 MB.
 */
export function graphiqlPage(start: GraphiqlStart): () => Page {
  let page: Page | undefined;
  return () => (page ??= makePage(start));
}

function makePage({ query, headers }: GraphiqlStart): Page {
  const options = {
    title: 'Millrace',
    // Its types do not know it. With `defaultQuery` alone, a page that is loaded again shows an empty tab.
    query,
    defaultQuery: query,
    headers,
    shouldPersistHeaders: false,
    subscriptionsProtocol: 'SSE',
  } as const;
  return pageOf(renderGraphiQL(options));
}

/** Somebody opens the address in a browser, rather than a program that sends an operation. */
export function isForBrowser({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept?.includes('text/html') ?? false);
}
