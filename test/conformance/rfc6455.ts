import { type TestContext, test } from 'node:test';
import { compressions } from './rfc6455/deflate.ts';
import { handshakes } from './rfc6455/handshake.ts';
import { messages } from './rfc6455/messages.ts';
import { type Case, maxMessageBytes, Stage, type WebSocketEndpoint } from './rfc6455/stage.ts';
import { violations } from './rfc6455/violations.ts';

/** Starts a server for a test, and answers where it is. */
export type OpenServer = (
  t: TestContext,
  settings: { readonly compression: boolean; readonly maxMessageBytes: number },
) => Promise<string>;

/** What RFC 6455, and RFC 7692 for compression, ask of a server, frame by frame. */
export function webSocketTests(open: OpenServer, endpoint: WebSocketEndpoint): void {
  const playAll = async (
    t: TestContext,
    cases: readonly Case[],
    compression: boolean,
  ): Promise<void> => {
    const stage = new Stage(await open(t, { compression, maxMessageBytes }), endpoint);
    for (const { title, play } of cases) await t.test(title, (t) => play(t, stage));
  };

  test(`RFC 6455: ${endpoint.name}`, (t) =>
    playAll(t, [...handshakes, ...messages, ...violations], false));
  test(`RFC 7692: ${endpoint.name}`, (t) => playAll(t, compressions, true));
}
