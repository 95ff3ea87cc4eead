import type { Stage } from './stage.ts';

/** A server did not do what the variant asks for; the message says what it did. */
export class NotServed extends Error {
  override readonly name = 'NotServed';
}

const tries = 12;

/**
 * Resolves when an event reaches the first so many subscriptions: nothing in the protocol tells a client
 * that its subscription is there. @throws {NotServed} if it does not, or the server refuses something
 */
export async function knock(stage: Stage, subscriptions: number, users = 1): Promise<void> {
  const { client, producer } = stage;
  let patienceMs = 300;
  for (let knocked = 0; knocked < tries; knocked += 1) {
    const volley = stage.nextVolley();
    // With filters the one event is for the first subscription.
    const deliveries = users === 1 ? subscriptions : 1;
    await client.call('expect', { volley, subscriptions, deliveries });
    await producer.call('send', {
      number: volley,
      turns: 1,
      turnsPerSecond: 1,
      eventsPerTurn: 1,
      users,
      messageBytes: 440,
    });
    const received = await client.call('received', patienceMs);
    const [refusal] = await client.call('refusals');
    if (refusal !== undefined) throw new NotServed(refusal);
    if (received.deliveries === deliveries) return;
    patienceMs *= 1.4;
  }
  throw new NotServed(`no event reached all ${subscriptions} subscriptions`);
}
