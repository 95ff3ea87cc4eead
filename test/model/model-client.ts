import type { Event } from '../../src/decode/event.ts';
import type { StreamPosition } from '../../src/hub/cursor/stream-position.ts';
import type { Replay } from '../../src/hub/history/replay.ts';
import type { StreamMessage } from '../../src/hub/history/stream-message.ts';
import type { ModelStream } from './model-stream.ts';

/** How a client is served at the moment. */
export type Service =
  | { readonly by: 'nobody' }
  /** From memory. */
  | { readonly by: 'replay'; readonly stream: ModelStream; readonly replay: Replay<Event> }
  /** As it happens, through a queue. */
  | {
      readonly by: 'live';
      readonly stream: ModelStream;
      readonly queue: StreamMessage<Event>[];
      readonly leave: () => void;
    }
  /** The stream has not come to where the client stopped. */
  | { readonly by: 'waiting'; readonly stream: ModelStream; patience: number };

/** One client, which takes messages, stops anywhere, and comes back with the cursor of the last one. */
export class ModelClient {
  readonly taken: StreamMessage<Event>[] = [];
  /** Before the first message: where it subscribed. */
  readonly subscribedAt: StreamPosition;
  /** Messages that wait for it at the most. */
  maxQueue: number;
  service: Service = { by: 'nobody' };
  /** The instance that it is connected to. */
  home: number | null = null;

  constructor(subscribedAt: StreamPosition, maxQueue: number) {
    this.subscribedAt = subscribedAt;
    this.maxQueue = maxQueue;
  }

  /** Of its cursor. */
  get position(): StreamPosition {
    return this.taken.at(-1)?.position ?? this.subscribedAt;
  }

  serve(service: Service): void {
    if (this.service.by === 'live') this.service.leave();
    this.service = service;
  }

  /** From now on it gets what the stream emits. @param onFull called when the queue is too long */
  join(stream: ModelStream, onFull: () => void): void {
    const queue: StreamMessage<Event>[] = [];
    const listen = (message: StreamMessage<Event>): void => {
      queue.push(message);
      if (queue.length > this.maxQueue) onFull();
    };
    stream.listeners.add(listen);
    this.serve({ by: 'live', stream, queue, leave: () => stream.listeners.delete(listen) });
  }
}
