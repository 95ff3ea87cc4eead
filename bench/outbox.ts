import { setImmediate } from 'node:timers/promises';
import { Duplex } from 'node:stream';
import { beginning } from '../src/hub/cursor/stream-position.ts';
import { systemClock } from '../src/core/clock.ts';
import { Metrics } from '../src/observe/metrics.ts';
import { ByteBudget } from '../src/transports/allowance/byte-budget.ts';
import { Outbox, type OutboxConnection } from '../src/transports/outbox.ts';
import { Sent } from '../src/transports/sent.ts';
import { SharedFrames } from '../src/transports/shared-frames.ts';
import { TurnEnd } from '../src/transports/turn-end.ts';
import { median } from './measure.ts';

/**
 * What counting and the limit of bytes a second add to handing one message to 500 sockets that take it at
 * once: `node bench/outbox.ts`. Prints one line of JSON for each variant: processor time for each delivery,
 * the median of its rounds, which take turns. Without the sockets themselves, which cost by far the most.
 */

const sockets = 500;
const turns = 1_500;
const rounds = 9;
const text = Buffer.alloc(440, 'x');

/** Takes everything and keeps nothing. */
class Nowhere extends Duplex {
  override write(): boolean {
    return true;
  }
}

function variant(counts: boolean) {
  const { deliveryLag } = new Metrics();
  const sent = new Sent(systemClock, (lagMs, deliveries) =>
    deliveryLag.add(lagMs / 1_000, deliveries),
  );
  const turnEnd = new TurnEnd();
  const budget = new ByteBudget({ clock: systemClock, bytesPerSecond: 2 ** 40 });
  const outboxes = Array.from({ length: sockets }, () => {
    const connection: OutboxConnection = {
      stream: new Nowhere(),
      isOpen: true,
      onSlow: () => undefined,
    };
    const outbox = new Outbox(connection, { turnEnd, maxQueuedBytes: 2 ** 20 });
    if (counts) outbox.useBudget(budget);
    return outbox;
  });
  const owner = { mark: Buffer.from('"000001"'), lost: () => true };
  return async (): Promise<number> => {
    const before = process.cpuUsage();
    for (let turn = 0; turn < turns; turn += 1) {
      const content = { sent: sent.by['graphql-ws'], messages: 1, recordedAtMs: [Date.now()] };
      const frames = new SharedFrames(Buffer.from(text), [6], counts ? content : undefined);
      for (const outbox of outboxes) outbox.push(frames, owner, beginning);
      await setImmediate();
    }
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / (turns * sockets);
  };
}

const variants = { bare: variant(false), 'counted, with a budget': variant(true) };
const taken = new Map<string, number[]>();
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, run] of Object.entries(variants)) {
    const ns = await run();
    // The first is for the compiler.
    if (round > 0) taken.set(name, [...(taken.get(name) ?? []), ns]);
  }
}
for (const [name, ns] of taken) {
  console.log(
    JSON.stringify({ bench: 'outbox', variant: name, nsPerDelivery: Math.round(median(ns)) }),
  );
}
