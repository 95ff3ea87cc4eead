import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHead } from '../../auth/authorization.ts';
import type { Principal } from '../../auth/principal.ts';
import { MillraceError } from '../../core/errors.ts';
import type { Message } from '../../hub/message.ts';
import type { Subscriber } from '../../hub/subscriber.ts';
import { eventFrames, EventStream, type EventStreamOptions } from '../event-stream.ts';
import type { OutboxOwner } from '../outbox.ts';
import { respondError } from '../respond.ts';
import { type EventFrames, serverSentEvent } from './event-frames.ts';
import { errorText, readyText } from './message-text.ts';
import { subprotocol } from './protocol.ts';
import type { FeedAddress } from './request.ts';
import type { Source, Subscribe } from './source.ts';

export interface FeedEventStreamOptions extends EventStreamOptions {
  /** Lets a client in by what its request shows; rejects with a `MillraceError`. */
  readonly authenticateRequest: (request: RequestHead) => Promise<Principal>;
  readonly subscribe: Subscribe;
  readonly frames: EventFrames;
  /** What a client may see of an error. */
  readonly shown: (error: unknown) => MillraceError;
}

const transport = 'feed-sse';

/** Answers a request for a plain feed with the feed as server-sent events. */
export async function serveFeedEvents(
  request: IncomingMessage,
  response: ServerResponse,
  address: FeedAddress,
  options: FeedEventStreamOptions,
): Promise<void> {
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET');
    return respondError(
      response,
      new MillraceError('BAD_USER_INPUT', 'a feed is asked for by GET'),
      405,
    );
  }
  if (!acceptsEvents(request)) {
    const message = `a feed is text/event-stream, or over WebSocket the subprotocol ${subprotocol}`;
    return respondError(response, new MillraceError('BAD_USER_INPUT', message), 406);
  }
  const principal = await options.authenticateRequest(request);
  const subscription = await options.subscribe(principal, address);
  // Gone while its subscription was set up: no `close` would ever come.
  if (response.destroyed) return subscription.leave();
  const { projectId } = principal;
  let stream: EventStream;
  try {
    const onClose = (): void => subscription.leave();
    stream = new EventStream(response, options, { transport, projectId, onClose });
  } catch (error) {
    subscription.leave();
    throw error;
  }
  const { startCursor } = subscription;
  const ready = serverSentEvent('ready', readyText(startCursor), startCursor);
  stream.outbox.push(eventFrames(ready, stream.division));
  subscription.attach(subscriberOf(stream, subscription, options));
}

function subscriberOf(
  stream: EventStream,
  subscription: Source,
  { frames, shown }: FeedEventStreamOptions,
): Subscriber<Message> {
  const end = (error: unknown): void => {
    // The client asks again by itself, and finds another server or a reason.
    if (error === undefined) return stream.goAway();
    stream.end(serverSentEvent('error', errorText(shown(error))).toString());
  };
  const owner: OutboxOwner = {
    mark: undefined,
    lost: (before) => subscription.fellBehind(before),
  };
  return {
    transport,
    get backlogBytes() {
      return stream.outbox.backlogBytes;
    },
    deliver(parcel) {
      try {
        stream.outbox.send(frames.of(parcel, stream.division), owner, parcel.before);
      } catch (error) {
        // What cannot be written cannot be left out either.
        subscription.leave();
        end(error);
      }
    },
    whenTaken: (taken) => stream.outbox.whenTaken(taken),
    end,
  };
}

/** Also clients that take whatever there is. */
function acceptsEvents({ headers: { accept } }: IncomingMessage): boolean {
  return accept === undefined || /text\/event-stream|text\/\*|\*\/\*/i.test(accept);
}
