import { type IncomingMessage, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { Reception } from './reception.ts';
import type { Ending } from './transport.ts';

export interface RawEventStreamOptions {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly onEvent: (event: ServerSentEvent, reception: Reception) => void;
}

export interface ServerSentEvent {
  readonly type: string;
  readonly data: string;
}

/** A response of server-sent events that are looked at as they are; gone with the test. */
export function openEventStream(t: TestContext, options: RawEventStreamOptions): Reception {
  const { url, method, headers, body, onEvent } = options;
  const request = httpRequest(url, { method, headers, agent: false });
  t.after(() => request.destroy());
  let answering: IncomingMessage | undefined;
  const reception = new Reception({
    stall: () => answering?.pause(),
    resume: () => answering?.resume(),
    stop: () => request.destroy(),
  });
  const lost = ({ message }: Error): void =>
    reception.end({ code: undefined, message, argument: undefined });
  request.on('error', lost);
  request.on('response', (response) => {
    answering = response;
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      void text(response).then((answer) => reception.end(refusalOf(status, answer)), lost);
      return;
    }
    const parser = new EventParser((event) => onEvent(event, reception));
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => parser.take(chunk));
    response.on('error', lost);
    response.on('end', () =>
      reception.end({ code: undefined, message: 'the stream ended', argument: undefined }),
    );
  });
  request.end(body);
  return reception;
}

/** What a server says in the place of a stream. */
function refusalOf(status: number, answer: string): Ending {
  const [error] = Object(JSON.parse(answer)).errors ?? [];
  const { message, extensions } = Object(error);
  return { code: extensions?.code, message, argument: extensions?.argument, status };
}

/** The event stream format of the HTML standard, section 9.2.6, of a server that ends lines with LF. */
class EventParser {
  readonly #onEvent: (event: ServerSentEvent) => void;
  #rest = '';

  constructor(onEvent: (event: ServerSentEvent) => void) {
    this.#onEvent = onEvent;
  }

  take(chunk: string): void {
    const blocks = (this.#rest + chunk).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.#dispatch(block);
  }

  #dispatch(block: string): void {
    let type = 'message';
    const data: string[] = [];
    for (const line of block.split(/\r\n|\r|\n/)) {
      const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
      if (field === 'event') type = value;
      if (field === 'data') data.push(value);
    }
    if (data.length > 0) this.#onEvent({ type, data: data.join('\n') });
  }
}
