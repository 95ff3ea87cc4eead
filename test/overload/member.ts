import { WebSocket } from 'ws';
import type { GraphqlResult } from '../support/graphql-client.ts';
import type { CrowdOptions } from './crowd.ts';

/** `live`: an event has come over the connection that it has. */
export type MemberState = 'away' | 'coming' | 'live';

/** One client, by graphql-transport-ws. */
export class Member {
  state: MemberState = 'away';
  /** Why its last connection ended before it was live, or was not made. */
  refusal: string | undefined;
  /** The number of the last event that came; -1: none has. */
  last = -1;
  anomalies = 0;
  readonly #options: CrowdOptions;
  #socket: WebSocket | undefined;
  #cursor: string | undefined;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  connect(): void {
    const { url, login, topic } = this.#options;
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      perMessageDeflate: false,
      handshakeTimeout: 20_000,
    });
    this.#socket = socket;
    this.state = 'coming';
    this.refusal = undefined;
    const send = (message: object): void => socket.send(JSON.stringify(message));
    socket.on('open', () => send({ type: 'connection_init', payload: login }));
    socket.on('message', (text: Buffer) => {
      const message = JSON.parse(text.toString());
      switch (message.type) {
        case 'connection_ack':
          send({
            id: '1',
            type: 'subscribe',
            payload: {
              query:
                'subscription($topic: String!, $after: Cursor) { events(topic: $topic, order: ARRIVAL, after: $after) { sequence cursor payload } }',
              variables: { topic, after: this.#cursor },
            },
          });
          return;
        case 'next':
          this.#take(message.payload);
          return;
        case 'error':
          this.refusal = `error ${message.payload[0]?.extensions?.code}`;
          socket.terminate();
          return;
        case 'ping':
          send({ type: 'pong' });
      }
    });
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => this.#end(socket, `HTTP ${response.statusCode} ${codeIn(body)}`));
    });
    socket.on('error', (error) => this.#end(socket, String(Object(error).code ?? error.message)));
    socket.on('close', (code, reason) => this.#end(socket, `close ${code} ${String(reason)}`));
  }

  leave(): void {
    this.#socket?.terminate();
  }

  #take({ data, errors }: GraphqlResult): void {
    if (errors !== undefined) this.refusal = `error ${String(errors[0]?.extensions?.['code'])}`;
    const { sequence, cursor, payload } = Object(data?.['events']);
    if (cursor === undefined) return;
    const number = Number(sequence);
    if (this.last >= 0 && number !== this.last + 1) this.anomalies += 1;
    this.last = number;
    this.state = 'live';
    this.#cursor = cursor;
    this.#options.onEvent?.(Date.now() - payload.sentAtMs);
  }

  #end(socket: WebSocket, why: string): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    if (this.state === 'coming') this.refusal ??= why;
    this.state = 'away';
  }
}

function codeIn(body: string): string {
  return /"code":"(\w+)"/.exec(body)?.[1] ?? 'without a code';
}
