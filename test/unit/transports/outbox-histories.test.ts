import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { beginning, type StreamPosition } from '../../../src/hub/cursor/stream-position.ts';
import { ByteBudget } from '../../../src/transports/allowance/byte-budget.ts';
import { Outbox, type OutboxConnection, type OutboxOwner } from '../../../src/transports/outbox.ts';
import { SharedFrames } from '../../../src/transports/shared-frames.ts';
import { TurnEnd } from '../../../src/transports/turn-end.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

/** A stream of which the other side takes one write at a time, when the test says so. */
class Line extends Duplex {
  text = '';
  #take: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 64 });
  }

  override _read(): void {
    // Nothing ever comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#take = () => {
      this.text += chunk.toString();
      done();
    };
  }

  takeOne(): void {
    const take = this.#take;
    this.#take = undefined;
    take?.();
  }
}

const bytesPerSecond = 1_000;
const framesPerParcel = 5;

/** A subscription as the hub has it: live, or led on from where it lost something. */
class Owner implements OutboxOwner {
  readonly mark = undefined;
  readonly name: string;
  readonly #outbox: Outbox;
  readonly #isAlone: () => boolean;
  /** How many its stream has emitted. */
  head = 0;
  #isLive = true;
  /** Counts the ways in which it was led on: only the last one counts. */
  #way = 0;

  constructor(name: string, outbox: Outbox, isAlone: () => boolean) {
    this.name = name;
    this.#outbox = outbox;
    this.#isAlone = isAlone;
  }

  emit(count: number): void {
    const from = this.head;
    this.head += count;
    if (this.#isLive) this.#deliver(from, this.head);
  }

  lost({ next }: StreamPosition): void {
    this.#isLive = false;
    this.#goOnFrom(next[0] ?? 0);
  }

  #goOnFrom(at: number): void {
    this.#way += 1;
    const way = this.#way;
    this.#outbox.whenTaken(() => {
      if (way !== this.#way) return;
      const to = Math.min(this.head, at + framesPerParcel);
      // As of a follower: it may be lost as it is handed over.
      if (to > at) this.#deliver(at, to);
      if (way !== this.#way) return;
      if (to === this.head) this.#isLive = true;
      else this.#goOnFrom(to);
    });
  }

  #deliver(from: number, to: number): void {
    let text = '';
    for (let number = from; number < to; number += 1) text += `${this.name}${number};`;
    const frames = new SharedFrames(Buffer.from(text));
    const before = { ...beginning, next: [from] };
    if (this.#isAlone()) this.#outbox.send(frames, this, before);
    else this.#outbox.push(frames, this, before);
  }
}

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('emit' as const),
      counts: fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('take' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 10, 100, 1_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('beat' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('flush' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('spend' as const), bytes: fc.nat(2_000) }),
  },
);

test('property: each subscription gets everything once and in order, whatever its connection and its project may be sent', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 80, size: 'max' }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(40, 200, 2_000),
      fc.boolean(),
      async (actions, count, maxQueuedBytes, isLimited) => {
        const clock = new ManualClock();
        const line = new Line();
        const connection: OutboxConnection = {
          stream: line,
          isOpen: true,
          onSlow: () => undefined,
        };
        const outbox = new Outbox(connection, { turnEnd: new TurnEnd(), maxQueuedBytes });
        const budget = new ByteBudget({ clock, bytesPerSecond });
        if (isLimited) outbox.useBudget(budget);
        const owners = Array.from({ length: count }, (_, index) => {
          const name = 'abc'[index] ?? '?';
          return new Owner(name, outbox, () => count === 1);
        });
        let beats = 0;
        for (const now of actions) {
          if (now.does === 'emit') {
            for (const [index, owner] of owners.entries()) owner.emit(now.counts[index] ?? 0);
          } else if (now.does === 'take') line.takeOne();
          else if (now.does === 'wait') await clock.advance(now.ms);
          else if (now.does === 'turn') await settle(2);
          else if (now.does === 'flush') outbox.flushAll();
          else if (now.does === 'spend') budget.spend(now.bytes);
          else {
            outbox.push(new SharedFrames(Buffer.from('beat;')));
            beats += 1;
          }
          assert.ok(line.listenerCount('drain') <= 1 && clock.pending <= 1);
        }
        const expected = owners.reduce((sum, { head }) => sum + head, beats);
        const words = (): string[] => line.text.split(';').slice(0, -1);
        for (let tries = 0; words().length < expected && tries < 2_000; tries += 1) {
          await settle(1);
          line.takeOne();
          if (tries % 4 === 0) await clock.advance(200);
        }
        for (const { name, head } of owners) {
          const own = words().filter((word) => word.startsWith(name) && word !== 'beat');
          assert.deepEqual(
            own,
            Array.from({ length: head }, (_, number) => `${name}${number}`),
          );
        }
        assert.equal(words().filter((word) => word === 'beat').length, beats);
        await settle();
        line.takeOne();
        await settle();
        assert.deepEqual([outbox.backlogBytes, line.listenerCount('drain')], [0, 0]);
        line.destroy();
      },
    ),
    { numRuns: 300 },
  );
});
