import type { ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import type { Subscriber } from '../../hub/subscriber.ts';
import {
  type Division,
  eventFrames,
  EventStream,
  type EventStreamOptions,
  oneLine,
} from '../event-stream.ts';
import type { OutboxOwner } from '../outbox.ts';
import type { SentBy } from '../sent.ts';
import type { SharedFrames } from '../shared-frames.ts';
import type { GraphqlContext } from './context.ts';
import type { Subscribed } from './engine.ts';
import type { Selection } from './selection.ts';

export interface EventStreamDelivery extends EventStreamOptions {
  /** What resolvers get that depend on who asks. */
  readonly context: () => GraphqlContext;
  /** What a client may see of an error. */
  readonly mask: (error: unknown) => GraphQLError;
}

const transport = 'graphql-sse';
const complete = 'event: complete\ndata:\n\n';
const head = Buffer.from('event: next\ndata: ');
const tail = Buffer.from('\n\n');

/** Serves a subscription over SSE: GraphQL over SSE, distinct connections mode. */
export function deliverAsEventStream(
  response: ServerResponse,
  { subscription, selection }: Subscribed,
  { context, mask, ...options }: EventStreamDelivery,
): void {
  // Gone while its subscription was set up: no `close` would ever come.
  if (response.destroyed) return subscription.leave();
  const { projectId } = context().principal;
  let stream: EventStream;
  try {
    const onClose = (): void => subscription.leave();
    stream = new EventStream(response, options, { transport, projectId, onClose });
  } catch (error) {
    subscription.leave();
    throw error;
  }
  const frames = framesOf(selection, options.sent.by[transport]);
  const end = (error: unknown): void => {
    // Only of a server that stops: not `complete`, after which a client would not come back.
    if (error === undefined) return stream.goAway();
    const errors = JSON.stringify({ errors: [mask(error)] });
    stream.end(`event: next\ndata: ${errors}\n\n${complete}`);
  };
  const owner: OutboxOwner = {
    mark: undefined,
    lost: (before) => subscription.fellBehind(before),
  };
  const subscriber: Subscriber<Message> = {
    transport,
    get backlogBytes() {
      return stream.outbox.backlogBytes;
    },
    deliver(parcel) {
      if (parcel.items.length === 0) return;
      try {
        const { outbox, division } = stream;
        let sent = frames.known(parcel, division);
        if (sent === undefined) {
          // It goes on with this parcel when its project has a turn for it.
          if (outbox.mustNotMake) {
            options.onSlow('moved');
            return subscription.fellBehind(parcel.before);
          }
          sent = frames.make(parcel, division, context);
          outbox.noteMade(sent);
        }
        outbox.send(sent, owner, parcel.before);
      } catch (error) {
        // What cannot be written cannot be left out either.
        subscription.leave();
        end(error);
      }
    },
    whenTaken: (taken) => stream.outbox.whenTaken(taken),
    end,
  };
  subscription.attach(subscriber);
}

/** The `next` events for one selection, made once for all its subscribers. */
class NextEvents {
  readonly #selection: Selection;
  readonly #sent: SentBy;
  /** Forgotten with their parcel. */
  readonly #made = new WeakMap<Parcel, Map<Division, SharedFrames>>();

  constructor(selection: Selection, sent: SentBy) {
    this.#selection = selection;
    this.#sent = sent;
  }

  /** What has been made for others who get the same. */
  known(parcel: Parcel, division: Division): SharedFrames | undefined {
    return this.#made.get(parcel)?.get(division);
  }

  make(parcel: Parcel, division: Division, context: () => unknown): SharedFrames {
    const texts = parcel.items.flatMap((item) => [
      head,
      oneLine(this.#selection.textOf(item, context)),
      tail,
    ]);
    const frames = eventFrames(Buffer.concat(texts), division, this.#sent.contentOf(parcel));
    if (!this.#selection.isShared) return frames;
    const made = this.#made.get(parcel) ?? new Map<Division, SharedFrames>();
    this.#made.set(parcel, made.set(division, frames));
    return frames;
  }
}

const framesBySelection = new WeakMap<Selection, NextEvents>();

function framesOf(selection: Selection, sent: SentBy): NextEvents {
  let frames = framesBySelection.get(selection);
  if (frames === undefined) {
    frames = new NextEvents(selection, sent);
    framesBySelection.set(selection, frames);
  }
  return frames;
}
