import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../auth/principal.ts';
import { MillraceError } from '../../core/errors.ts';
import type { Hub } from '../../hub/hub.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Route, SocketRoute } from '../http-server.ts';
import { shownError } from '../shown-error.ts';
import { EventFrames } from './event-frames.ts';
import { type FeedEventStreamOptions, serveFeedEvents } from './event-stream.ts';
import { FeedSocket, type FeedSocketOptions } from './feed-socket.ts';
import { type FeedKind, subprotocol } from './protocol.ts';
import { type FeedAddress, parseFeedRequest } from './request.ts';
import { SocketFrames } from './socket-frames.ts';
import type { Source } from './source.ts';

type MadeHere = 'subscribe' | 'frames' | 'shown';

export interface PlainFeedsOptions
  extends Omit<FeedSocketOptions, MadeHere>,
    Omit<FeedEventStreamOptions, MadeHere> {
  readonly hub: Hub;
  readonly logger: Logger;
  /** Told of each error that a client is shown. */
  readonly onRefused?: ((error: MillraceError) => void) | undefined;
}

const patterns: readonly (readonly [pattern: string, holds: FeedKind])[] = [
  ['/feeds/{topic}', 'events'],
  ['/feeds/{topic}/dead-letters', 'deadLetters'],
];

/** The routes of the plain feeds: protocol `millrace.v1`, as PROTOCOL.md has it. */
export function plainFeeds(options: PlainFeedsOptions): {
  routes: readonly (readonly [pattern: string, route: Route])[];
  socketRoutes: readonly (readonly [pattern: string, route: SocketRoute])[];
} {
  const { hub, logger } = options;
  const shared = {
    subscribe: (principal: Principal, address: FeedAddress) => subscribe(hub, principal, address),
    shown: (error: unknown): MillraceError => {
      if (!(error instanceof MillraceError)) {
        logger.error({ err: error }, 'unexpected fault while serving a feed');
      }
      const shown = shownError(error);
      options.onRefused?.(shown);
      return shown;
    },
  };
  const overSocket = {
    ...options,
    ...shared,
    frames: new SocketFrames(options.sent.by['feed-ws']),
  };
  const asEvents = { ...options, ...shared, frames: new EventFrames(options.sent.by['feed-sse']) };
  return {
    routes: patterns.map(([pattern, holds]) => [
      pattern,
      (request, response, segments) =>
        serveFeedEvents(
          request,
          response,
          { ...addressOf(holds, request, segments), lastEventId: lastEventIdOf(request) },
          asEvents,
        ),
    ]),
    socketRoutes: patterns.map(([pattern, holds]) => [
      pattern,
      {
        protocols: [subprotocol],
        serve: (socket, stream, request, segments) =>
          new FeedSocket(socket, stream, overSocket).begin(
            request,
            addressOf(holds, request, segments),
          ),
      },
    ]),
  };
}

function addressOf(
  holds: FeedKind,
  { url = '' }: IncomingMessage,
  [topic = '']: readonly string[],
): FeedAddress {
  const questionMark = url.indexOf('?');
  return { holds, topic, query: questionMark < 0 ? '' : url.slice(questionMark + 1) };
}

/** Empty: nothing has been received that had one. */
function lastEventIdOf({ headers }: IncomingMessage): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

async function subscribe(hub: Hub, principal: Principal, address: FeedAddress): Promise<Source> {
  const request = parseFeedRequest(address);
  return request.holds === 'events'
    ? hub.events(principal, request)
    : hub.deadLetters(principal, request);
}
