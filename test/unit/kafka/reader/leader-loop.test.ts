import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { KafkaError } from '../../../../src/kafka/port.ts';
import type { FetchConnection } from '../../../../src/kafka/reader/brokers.ts';
import type { FetchPlan } from '../../../../src/kafka/reader/leader-loop.ts';
import { LeaderLoop } from '../../../../src/kafka/reader/leader-loop.ts';
import { Partition } from '../../../../src/kafka/reader/partition.ts';
import type { FetchAnswer } from '../../../../src/kafka/wire/fetch-answer.ts';

const answer: FetchAnswer = { throttledMs: 0, errorCode: 0, partitions: [] };

/** A broker whose answers the test gives; `close` rejects what is under way, as a real one does. */
class FakeConnection implements FetchConnection {
  readonly requests: PromiseWithResolvers<FetchAnswer>[] = [];
  readonly #asked = Promise.withResolvers<void>();
  usable = true;

  open = async () => undefined;

  /** Resolves at the first request. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  fetch = async () => {
    const request = Promise.withResolvers<FetchAnswer>();
    this.requests.push(request);
    this.#asked.resolve();
    return request.promise;
  };

  close = async () => {
    this.usable = false;
    for (const request of this.requests) request.reject(new KafkaError('UNAVAILABLE', 'closed'));
  };
}

function plan(connection: FetchConnection, told: Partial<FetchPlan>): FetchPlan {
  const partition = new Partition(0, 0);
  partition.ledBy(1);
  return {
    topic: 'acme.orders',
    topicId: null,
    maxBytes: 1_000,
    turn: () => setImmediate(),
    maxWaitMs: () => 100,
    ledBy: () => [partition],
    connectionTo: () => connection,
    accept: () => [() => undefined],
    unreachable: () => undefined,
    ...told,
  };
}

test('what was taken is handed over though the loop is stopped in between', async () => {
  const connection = new FakeConnection();
  let handedOver = 0;
  const loop = new LeaderLoop(
    1,
    plan(connection, {
      accept: () => {
        void loop.stop();
        return [
          () => {
            handedOver += 1;
          },
        ];
      },
    }),
  );
  await connection.asked;
  connection.requests[0]?.resolve(answer);
  await loop.ended;
  assert.equal(handedOver, 1);
});

test('the next request is under way before the last answer is handed over', async () => {
  const connection = new FakeConnection();
  const { promise: underWay, resolve } = Promise.withResolvers<number>();
  const loop = new LeaderLoop(
    1,
    plan(connection, { accept: () => [() => resolve(connection.requests.length)] }),
  );
  await connection.asked;
  connection.requests[0]?.resolve(answer);
  assert.equal(await underWay, 2);
  await loop.stop();
});

test('an answer that comes after the stop is not taken', async () => {
  const connection = new FakeConnection();
  let taken = 0;
  const loop = new LeaderLoop(
    1,
    plan(connection, {
      accept: () => {
        taken += 1;
        return [];
      },
    }),
  );
  await connection.asked;
  connection.requests[0]?.resolve(answer);
  await loop.stop();
  assert.equal(taken, 0);
});
