/** The thread that puts GraphiQL together: see `graphiqlPage`. It sends a `MadePage` and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { policyOf } from '../security-headers.ts';

export interface MadePage {
  /** HTML. */
  readonly gzipped: ArrayBuffer;
  /** `Content-Security-Policy` */
  readonly policy: string;
}

const { query, headers } = workerData;
const options = {
  title: 'Millrace',
  // Its types do not know it. With `defaultQuery` alone, a page that is loaded again shows an empty tab.
  query,
  defaultQuery: query,
  headers,
  shouldPersistHeaders: false,
  subscriptionsProtocol: 'SSE',
} as const;
const html = renderGraphiQL(options);
const { buffer: gzipped } = gzipSync(html);
const made: MadePage = { gzipped, policy: policyOf(html) };
parentPort?.postMessage(made, [gzipped]);
