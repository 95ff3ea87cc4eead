import type { Event } from '../../src/decode/event.ts';
import type { Clock } from '../../src/core/clock.ts';
import { cursorKeyFrom } from '../../src/hub/cursor/cursor-key.ts';
import { CursorCodec } from '../../src/hub/cursor/cursor-codec.ts';
import { beginning, earlierOf, type StreamPosition } from '../../src/hub/cursor/stream-position.ts';
import type { StreamMessage } from '../../src/hub/history/stream-message.ts';
import type { EventOrder } from '../../src/sequence/order.ts';
import { compareOrderKeys, type OrderKey } from '../../src/sequence/order-key.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { Dice } from './dice.ts';
import { ModelClient } from './model-client.ts';
import { ModelStream, type StreamWorld } from './model-stream.ts';
import { drawLog, latenessMs, type LogRecord, logStartMs, maxAdvanceMs } from './random-log.ts';
import { isEmitted, stateAt } from './state.ts';

/**
 * A model of a log, of instances that read it each in an interleaving of its own, crash and start anew, and
 * of clients that stop anywhere and come back to any instance with the cursor of their last message. It
 * is resumed as a server would: from the memory of the instance's live stream; by waiting for a stream that is
 * not there yet; or by a reader that catches up from the log, which several clients may share, until the
 * live stream can take over. At the end every client is judged.
 *
 * Everything is drawn from one seed.
 */
export interface ReconnectOptions {
  readonly seed: number;
  readonly order: EventOrder;
  readonly deduplicate: boolean;
  /** What resuming goes by. All but the first are controls, which must fail. */
  readonly resumeBy: 'cursor' | 'R only' | 'V only' | 'cursor, ignoring copies';
  /** Whether some records bear a broker time from the future, and the instances' clocks differ. @default false */
  readonly fromFuture?: boolean;
}

export interface ReconnectJudgement {
  readonly resumes: number;
  /** Of them from memory, and from memory by way of a seam. */
  readonly fromMemory: number;
  readonly takeovers: number;
  readonly waits: number;
  /** Streams that came to a client by moving K alone. */
  readonly meetings: number;
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  /** Messages not late with a key that is not above that of the one before. */
  readonly disordered: number;
  readonly fromFuture: ReadonlySet<string>;
}

interface Instance {
  readonly clock: Clock;
  live: ModelStream;
  /** They catch up from the log. */
  readers: ModelStream[];
}

const codecKey = cursorKeyFrom('model');
const logState = { topicIds: ['topic'], epochs: [] } as const;

export function judgeReconnects(options: ReconnectOptions): ReconnectJudgement {
  return new ReconnectModel(options).judge();
}

class ReconnectModel {
  readonly #options: ReconnectOptions;
  readonly #dice: Dice;
  readonly #world: StreamWorld;
  readonly #clock = new ManualClock(logStartMs);
  readonly #codec: CursorCodec;
  readonly #instances: readonly Instance[];
  readonly #clients: ModelClient[];
  readonly #counts = { resumes: 0, fromMemory: 0, takeovers: 0, waits: 0, meetings: 0 };

  constructor(options: ReconnectOptions) {
    this.#options = options;
    const { seed, order, deduplicate, fromFuture = false, resumeBy } = options;
    const dice = new Dice(seed);
    this.#dice = dice;
    const log = drawLog(dice, { fromFuture });
    const tellsCopies = resumeBy !== 'cursor, ignoring copies';
    this.#world = { log, dice, order, deduplicate, tellsCopies };
    this.#codec = codecOf(order, deduplicate);
    this.#instances = Array.from({ length: 2 + dice.below(2) }, () => {
      const aheadMs = fromFuture ? dice.below(3_000) : 0;
      const clock = {
        now: () => this.#clock.now() + aheadMs,
        schedule: () => ({ cancel: () => undefined }),
      };
      const live = new ModelStream(this.#world, clock, { at: 'position', position: beginning });
      return { clock, live, readers: [] };
    });
    this.#clients = Array.from({ length: 2 + dice.below(3) }, () => this.#newClient(beginning));
  }

  judge(): ReconnectJudgement {
    const { log } = this.#world;
    const dice = this.#dice;
    const spanMs = log.endMs - logStartMs;
    for (let step = 0; step < 600; step++) {
      if (dice.oneIn(3) && this.#clock.now() < log.endMs)
        this.#clock.jump(dice.below(spanMs / 60 + 2));
      if (dice.oneIn(150)) this.#crash(dice.below(this.#instances.length));
      for (const { live, readers } of this.#instances) {
        if (dice.oneIn(2)) live.turn();
        for (const reader of readers) if (!dice.oneIn(3)) reader.turn();
      }
      for (const client of this.#clients) if (dice.oneIn(2)) this.#stepClient(client);
    }
    this.#finish();
    const judged = this.#clients.map((client) => this.#judgeClient(client));
    return {
      ...this.#counts,
      lost: judged.flatMap(({ lost }) => lost),
      twice: judged.flatMap(({ twice }) => twice),
      disordered: judged.reduce((sum, { disordered }) => sum + disordered, 0),
      fromFuture: new Set(
        log.partitions
          .flat()
          .filter((record) => record !== null)
          .filter(({ event, atMs }) => event.recordedAtMs > atMs)
          .map(({ event }) => this.#identity(event)),
      ),
    };
  }

  #newClient(subscribedAt: StreamPosition): ModelClient {
    const maxQueue = 1 + this.#dice.below(this.#dice.oneIn(2) ? 8 : 100);
    return new ModelClient(subscribedAt, this.#isControl ? Number.POSITIVE_INFINITY : maxQueue);
  }

  #instance(index: number): Instance {
    const instance = this.#instances[index];
    if (instance === undefined) throw new RangeError(`No instance ${index}`);
    return instance;
  }

  /** An instance is lost with all its connections; another takes its place. */
  #crash(index: number): void {
    const instance = this.#instance(index);
    for (const client of this.#clients) if (client.home === index) this.#disconnect(client);
    instance.readers = [];
    instance.live = new ModelStream(this.#world, instance.clock, {
      at: 'position',
      position: this.#newPosition(),
    });
    // Somebody may be there as it begins.
    if (this.#clients.length < 7 && this.#options.resumeBy === 'cursor') {
      this.#clients.push(this.#newClient(instance.live.history.position));
    }
  }

  /** Where a live stream begins: as if it had always been there, at some K of this time. */
  #newPosition(): StreamPosition {
    const { log, order } = this.#world;
    const nowMs = this.#clock.now();
    const recorded = log.partitions
      .flat()
      .filter((record) => record !== null)
      .filter(({ atMs }) => atMs <= nowMs && atMs > nowMs - 4 * latenessMs);
    const upTo = recorded[this.#dice.below(recorded.length)];
    return upTo === undefined ? beginning : stateAt(log, order, nowMs, upTo.event);
  }

  #disconnect(client: ModelClient): void {
    client.serve({ by: 'nobody' });
    client.home = null;
    this.#dropIdleReaders();
  }

  #dropIdleReaders(): void {
    const used = new Set(
      this.#clients.map(({ service }) => (service.by === 'nobody' ? null : service.stream)),
    );
    for (const instance of this.#instances) {
      instance.readers = instance.readers.filter((reader) => used.has(reader));
    }
  }

  #stepClient(client: ModelClient): void {
    const dice = this.#dice;
    const { service } = client;
    if (client.home === null || service.by === 'nobody') {
      client.home = dice.below(this.#instances.length);
      this.#resume(client, client.home);
      return;
    }
    switch (service.by) {
      case 'waiting':
        service.patience -= 1;
        this.#goOn(client, client.home, service.stream, service.patience);
        break;
      case 'replay':
        this.#takeReplayed(client, client.home);
        break;
      case 'live':
        client.taken.push(...service.queue.splice(0, dice.below(12)));
        if (service.queue.length === 0) this.#takeOver(client, client.home, service.stream);
        break;
    }
    if (dice.oneIn(7)) this.#disconnect(client);
  }

  #takeReplayed(client: ModelClient, home: number): void {
    const { service } = client;
    if (service.by !== 'replay') return;
    for (let wanted = this.#dice.below(10); wanted > 0; wanted--) {
      const message = service.replay.next();
      if (message === 'end') {
        this.#join(client, home, service.stream);
        return;
      }
      if (message === 'forgotten') {
        this.#resume(client, home);
        return;
      }
      client.taken.push(message);
    }
  }

  #join(client: ModelClient, home: number, stream: ModelStream): void {
    client.join(stream, () => {
      // Its queue is dropped; it goes on later, as there is no way back in the midst of a turn.
      client.serve({ by: 'waiting', stream, patience: 1 });
      this.#counts.resumes++;
    });
    this.#takeOver(client, home, stream);
  }

  /** A client that has all that a reader emitted goes over to the live stream, if that knows what follows. */
  #takeOver(client: ModelClient, home: number, stream: ModelStream): void {
    const { live } = this.#instance(home);
    if (stream === live || this.#isControl) return;
    this.#meet(live, stream.history.position);
    const replay = live.history.after(stream.history.position);
    if (replay === 'gone' || replay === 'ahead') return;
    this.#counts.takeovers++;
    client.serve({ by: 'replay', stream: live, replay });
    this.#dropIdleReaders();
  }

  /** As a rule it is asked to; where it is not, it comes there by itself. */
  #meet(stream: ModelStream, position: StreamPosition): void {
    if (this.#dice.oneIn(3) || stream.history.after(position) !== 'ahead') return;
    stream.meet(position);
    if (stream.history.after(position) !== 'ahead') this.#counts.meetings++;
  }

  get #isControl(): boolean {
    return this.#options.resumeBy === 'R only' || this.#options.resumeBy === 'V only';
  }

  /** The client comes with its cursor. */
  #resume(client: ModelClient, home: number): void {
    this.#counts.resumes++;
    const instance = this.#instance(home);
    if (this.#isControl) {
      const { next, lowest } = client.position;
      const offsets = this.#options.resumeBy === 'R only' ? next : lowest;
      const reader = new ModelStream(this.#world, instance.clock, { at: 'offsets', offsets });
      instance.readers.push(reader);
      this.#join(client, home, reader);
      return;
    }
    this.#goOn(client, home, instance.live, 1 + this.#dice.below(8));
  }

  /** From the stream's memory, or by waiting for it; else from the log. */
  #goOn(client: ModelClient, home: number, stream: ModelStream, patience: number): void {
    const position = this.#throughCursor(client.position);
    this.#meet(stream, position);
    const replay = stream.history.after(position);
    if (replay === 'gone' || (replay === 'ahead' && patience <= 0)) {
      this.#catchUp(client, home, position);
    } else if (replay === 'ahead') {
      this.#counts.waits++;
      client.serve({ by: 'waiting', stream, patience });
    } else {
      this.#counts.fromMemory++;
      client.serve({ by: 'replay', stream, replay });
    }
    this.#dropIdleReaders();
  }

  #catchUp(client: ModelClient, home: number, position: StreamPosition): void {
    const instance = this.#instance(home);
    const dice = this.#dice;
    for (const reader of instance.readers) {
      const replay = reader.history.after(position);
      if (replay === 'gone' || replay === 'ahead') continue;
      client.serve({ by: 'replay', stream: reader, replay });
      return;
    }
    // Sometimes for another client as well, who is not there yet.
    const other = this.#clients[dice.below(this.#clients.length)];
    const from =
      other !== undefined && dice.oneIn(3) ? earlierOf(position, other.position, []) : position;
    const reader = new ModelStream(this.#world, instance.clock, { at: 'position', position: from });
    instance.readers.push(reader);
    if (from === position) {
      // There before it emits anything: its memory may be too small for what it reads at once.
      this.#join(client, home, reader);
      return;
    }
    const replay = reader.history.after(position);
    if (replay === 'gone') throw new Error('a reader does not know what it was made for');
    if (replay === 'ahead') client.serve({ by: 'waiting', stream: reader, patience: 30 });
    else client.serve({ by: 'replay', stream: reader, replay });
  }

  #throughCursor(position: StreamPosition): StreamPosition {
    return this.#codec.decode(this.#codec.encode(position, logState), logState.topicIds).position;
  }

  /** Nothing more is recorded, and every client stays until it has everything. */
  #finish(): void {
    this.#clock.jump(Math.max(0, this.#world.log.endMs - this.#clock.now()) + 200_000);
    for (const client of this.#clients) {
      client.maxQueue = Number.POSITIVE_INFINITY;
      let steps = 0;
      do {
        if (++steps > 10_000) throw new Error('a client never gets everything');
        this.#stepClient(client);
        this.#drain();
        // What was read just now waits for the lateness once more.
        this.#clock.jump(2 * latenessMs);
        this.#drain();
      } while (client.service.by !== 'live' || client.service.queue.length > 0);
      this.#disconnect(client);
    }
  }

  #drain(): void {
    for (const { live, readers } of this.#instances) {
      for (const stream of [live, ...readers]) stream.drain();
    }
  }

  #judgeClient({ taken, subscribedAt }: ModelClient) {
    const count = new Map<string, number>();
    for (const { item } of taken) {
      const id = this.#identity(item);
      count.set(id, (count.get(id) ?? 0) + 1);
    }
    const { order, log } = this.#world;
    const expected = new Set<string>();
    const before = new Set<string>();
    // What is from the future had been emitted or not, by the clock of whom the client joined.
    const ofDoubt = new Set<string>();
    for (const record of log.partitions.flat()) {
      if (record === null) continue;
      const id = this.#identity(record.event);
      if (isOfDoubt(record, subscribedAt)) ofDoubt.add(id);
      else (isEmitted(record.event, order, subscribedAt) ? before : expected).add(id);
    }
    return {
      lost: [...expected.difference(before).difference(ofDoubt)].filter((id) => !count.has(id)),
      // Also what had been emitted before the client came.
      twice: [...count].filter(([id, times]) => times > 1 || before.has(id)).map(([id]) => id),
      disordered: disorder(taken),
    };
  }

  /** How the judge tells events apart. */
  #identity({ id, partition, offset }: Event): string {
    return this.#options.deduplicate && id !== null ? `id ${id}` : `${partition}/${offset}`;
  }
}

function isOfDoubt({ event, atMs }: LogRecord, { next }: StreamPosition): boolean {
  return event.recordedAtMs > atMs && event.offset < (next[event.partition] ?? 0);
}

/** Messages that are not late and have no larger key than one before. */
function disorder(taken: readonly StreamMessage<Event>[]): number {
  let disordered = 0;
  let last: OrderKey | null = null;
  for (const { late, key } of taken) {
    if (late || key === null) continue;
    if (last !== null && compareOrderKeys(key, last) <= 0) disordered++;
    last = key;
  }
  return disordered;
}

const codecs = new Map<string, CursorCodec>();

function codecOf(order: EventOrder, deduplicate: boolean): CursorCodec {
  const name = `${order} ${deduplicate}`;
  const codec =
    codecs.get(name) ??
    new CursorCodec(codecKey, {
      projectId: 'project',
      kafkaTopic: 'topic',
      stream: {
        kind: 'events',
        order,
        deduplicate,
        settings: {
          id: 'id',
          timestamp: 'timestamp',
          sequence: 'sequence',
          latenessMs,
          maxAdvanceMs,
        },
      },
    });
  codecs.set(name, codec);
  return codec;
}
