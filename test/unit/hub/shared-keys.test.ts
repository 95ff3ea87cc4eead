import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyFrom, SharedKeys } from '../../../src/hub/shared-keys.ts';
import { KafkaError } from '../../../src/kafka/port.ts';
import { collect, openHub } from '../../support/hub.ts';

async function learned(clusterId: string): Promise<Uint8Array> {
  const key = new SharedKeys(null);
  await key.learn({ clusterId: async () => clusterId });
  return key.idKey;
}

test('a key that is not given is the same for all who ask the same cluster', async () => {
  assert.deepEqual(await learned('a'), await learned('a'));
  assert.notDeepEqual(await learned('a'), await learned('b'));
  assert.equal((await learned('a')).length, 32);
});

test('a key that is given asks nobody', async () => {
  const key = new SharedKeys('secret');
  await key.learn({ clusterId: () => Promise.reject(new Error('asked')) });
  assert.deepEqual(key.idKey, keyFrom('secret'));
});

test('a cluster that cannot be reached is asked again', async () => {
  const key = new SharedKeys(null);
  const unavailable = new KafkaError('UNAVAILABLE', 'down');
  await assert.rejects(key.learn({ clusterId: () => Promise.reject(unavailable) }), unavailable);
  assert.throws(() => key.idKey, /not known/);
  await key.learn({ clusterId: async () => 'a' });
  assert.deepEqual(key.idKey, keyFrom('a'));
});

test('two instances without a secret order events of equal time alike', async (t) => {
  const { clock, kafka, record, events } = openHub(t, { options: { secret: null } });
  const other = openHub(t, { options: { secret: null, clock }, driver: () => kafka.driver() });
  const received = [collect(await events()), collect(await other.events())] as const;
  const ids = Array.from({ length: 20 }, (_, at) => `tie ${String.fromCharCode(97 + at)}`);
  for (const id of ids) record(id);
  await clock.advance(5_000);
  assert.deepEqual(received[0].sortedIds, ids);
  assert.deepEqual(received[0].ids, received[1].ids);
});

test('a feed that began while the cluster was away learns the key when it is back', async (t) => {
  const { clock, kafka, record, events } = openHub(t, { options: { secret: null } });
  kafka.setAvailable(false);
  const accepted = events();
  await clock.advance(3_000);
  const received = collect(await accepted);
  kafka.setAvailable(true);
  await clock.advance(5_000);
  record('after');
  await clock.advance(5_000);
  assert.deepEqual(received.ids, ['after']);
});
