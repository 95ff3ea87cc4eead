import type { TestContext } from 'node:test';
import { parsePath, valueAt } from '../../../src/decode/path.ts';
import { sourceAt } from '../../../src/decode/json-source.ts';
import type { TransportName } from '../../../src/transports/sent.ts';
import type { Login, TokenLogin } from '../../support/graphql-client.ts';
import type { Reception } from './reception.ts';

/** One way to subscribe, as the suite sees it. */
export interface Transport {
  readonly name: string;
  /** As metrics have it. */
  readonly label: TransportName;
  /** Line breaks between a payload's tokens come as blanks. */
  readonly isLineBased: boolean;
  /** @param login undefined: a client that shows no credentials, where it should */
  subscribe(
    t: TestContext,
    url: string,
    login: Login | TokenLogin | undefined,
    request: Request,
  ): Reception;
}

/** The arguments of a subscription, right or wrong, by their names. */
export interface Request {
  readonly holds: 'events' | 'deadLetters';
  readonly topic: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** An event or a dead letter with the fields that all transports have; the payload verbatim. */
export type Item = Readonly<Record<string, unknown>>;

/** What a subscription ended with. */
export interface Ending {
  /** The error's code; undefined: only the connection's end told something. */
  readonly code: string | undefined;
  readonly message: string;
  readonly argument: unknown;
  /** Of a WebSocket that the server closed. */
  readonly closeCode?: number;
  /** Of a request that was answered with something else than a stream. */
  readonly status?: number;
}

/** The event or dead letter that stands at `path` in a message. */
export function itemAt(text: string, path: string): Item {
  const item = Object(valueAt(JSON.parse(text), parsePath(path)));
  if (!('payload' in item)) return item;
  return { ...item, payload: sourceAt(text, parsePath(`${path}.payload`)) };
}
