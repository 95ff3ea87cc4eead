import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowUs } from '../../../../bench/fanout/clock.ts';
import { Tally } from '../../../../bench/fanout/client/tally.ts';
import { eventText } from '../../../../bench/fanout/event.ts';

const volley = 7;

/** A message with these events of the volley, each sent 5 ms ago. */
function message(...ns: number[]): Buffer {
  const sentUs = nowUs() - 5_000;
  const events = ns.map((n) =>
    eventText({ mark: { sentUs, volley, n }, id: 'x', user: 'u', messageBytes: 440 }),
  );
  return Buffer.from(events.join());
}

function take(tally: Tally, subscription: number, bytes: Buffer): void {
  tally.take(subscription, bytes, 0, bytes.length);
}

test('complete and in order, one event a message or several', async () => {
  const tally = new Tally({ volley, subscriptions: 2, deliveries: 6 });
  for (const n of [0, 1, 2]) take(tally, 0, message(n));
  take(tally, 1, message(0, 1, 2));
  await tally.complete;
  const { deliveries, outOfPlace, silent, p50Ms, p99Ms, maxMs } = tally.received;
  assert.deepEqual({ deliveries, outOfPlace, silent }, { deliveries: 6, outOfPlace: 0, silent: 0 });
  assert.ok(p50Ms >= 5 && p50Ms <= p99Ms && p99Ms <= maxMs);
});

for (const [what, ns] of Object.entries({
  'a gap': [0, 2],
  'a copy': [0, 0],
  'a beginning that is missing': [1, 2],
})) {
  test(`${what} is seen`, () => {
    const tally = new Tally({ volley, subscriptions: 1, deliveries: 2 });
    for (const n of ns) take(tally, 0, message(n));
    assert.equal(tally.received.outOfPlace, 1);
  });
}

test('two that are swapped are seen', () => {
  const tally = new Tally({ volley, subscriptions: 1, deliveries: 3 });
  take(tally, 0, message(1, 0, 2));
  assert.equal(tally.received.outOfPlace, 3);
});

test('what belongs to another volley, or to a subscription beside, is not counted', () => {
  const tally = new Tally({ volley: volley + 1, subscriptions: 1, deliveries: 1 });
  take(tally, 0, message(0));
  const beside = new Tally({ volley, subscriptions: 1, deliveries: 1 });
  take(beside, 1, message(0));
  for (const { received } of [tally, beside]) {
    assert.equal(received.deliveries, 0);
    assert.equal(received.silent, 1);
  }
});

test('of bytes that hold more than the message, only the message is looked at', () => {
  const tally = new Tally({ volley, subscriptions: 1, deliveries: 2 });
  const first = message(0);
  const both = Buffer.concat([first, message(1)]);
  tally.take(0, both, 0, first.length);
  assert.equal(tally.received.deliveries, 1);
  assert.equal(tally.received.messageBytes, first.length);
});
