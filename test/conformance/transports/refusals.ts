import assert from 'node:assert/strict';
import { type ErrorCode, errorTable } from '../../../src/core/errors.ts';
import type { Login } from '../../support/graphql-client.ts';
import { feedIs } from '../../support/server.ts';
import { eventRecord } from './records.ts';
import { reader, type Scenario } from './stage.ts';
import type { Ending, Request } from './transport.ts';

interface Refusal {
  readonly what: string;
  /** @default that of a reader; undefined: none */
  readonly login?: Login | undefined;
  /** Of acme, with what is not what the test has created. */
  readonly request?: Partial<Request>;
  readonly code: ErrorCode;
  readonly message: RegExp;
  readonly argument?: string;
}

function key(key: string, projectId = 'acme'): { login: Login } {
  return { login: { projectId, key } };
}

function given(name: string, value: unknown): { request: Partial<Request>; argument: string } {
  return { request: { arguments: { [name]: value } }, argument: name };
}

const refusals: readonly Refusal[] = [
  { what: 'no credentials', login: undefined, code: 'UNAUTHENTICATED', message: /send/ },
  {
    what: 'an unknown project',
    ...key('acme-read', 'nobody'),
    code: 'UNAUTHENTICATED',
    message: /project/,
  },
  { what: 'a wrong key', ...key('wrong'), code: 'UNAUTHENTICATED', message: /project/ },
  {
    what: "another project's key",
    ...key('acme-read', 'globex'),
    code: 'UNAUTHENTICATED',
    message: /project/,
  },
  {
    what: 'a write key',
    ...key('acme-write'),
    code: 'FORBIDDEN',
    message: /^write keys cannot read/,
  },
  {
    what: 'a filtered access key',
    ...key('acme-filtered'),
    code: 'FORBIDDEN',
    message: /^this access key has filters/,
  },
  {
    what: 'an access key without queries',
    ...key('acme-no-queries'),
    code: 'FORBIDDEN',
    message: /^this access key does not permit queries/,
  },
  {
    what: 'an inactive key',
    ...key('acme-inactive'),
    code: 'FORBIDDEN',
    message: /^this key is not active/,
  },
  {
    what: 'a topic that the key may not read',
    ...key('acme-narrow'),
    code: 'FORBIDDEN',
    message: /^this key may not read topic/,
  },
  {
    what: 'dead letters of such a topic',
    ...key('acme-narrow'),
    request: { holds: 'deadLetters' },
    code: 'FORBIDDEN',
    message: /^this key may not read topic/,
  },
  {
    what: 'a topic name that Kafka cannot have',
    request: { topic: 'x'.repeat(250) },
    code: 'BAD_USER_INPUT',
    message: /250|255/,
    argument: 'topic',
  },
  {
    what: 'a filter that is no list of conditions',
    ...given('where', [{ property: 'a', operator: 'IN', value: 3 }]),
    code: 'BAD_USER_INPUT',
    message: /IN/,
  },
  {
    what: 'an unknown operator of a filter',
    ...given('where', [{ property: 'a', operator: 'ABOUT', value: 3 }]),
    code: 'BAD_USER_INPUT',
    message: /operator|ABOUT/,
  },
  {
    what: 'an unknown order',
    ...given('order', 'SIDEWAYS'),
    code: 'BAD_USER_INPUT',
    message: /order|SIDEWAYS/i,
  },
  {
    what: 'a deduplicate that is neither true nor false',
    ...given('deduplicate', 'maybe'),
    code: 'BAD_USER_INPUT',
    message: /deduplicate|Boolean/,
  },
  {
    what: 'an unknown mode of delivery',
    ...given('delivery', { mode: 'NEWEST' }),
    code: 'BAD_USER_INPUT',
    message: /mode|NEWEST/,
  },
  {
    what: 'an interval that is too short',
    ...given('delivery', { mode: 'LATEST', everyMs: 9 }),
    code: 'BAD_USER_INPUT',
    message: /^`delivery\.everyMs` must be .* between 10 and 60000/,
  },
  {
    what: 'a property to conflate by that is none',
    ...given('delivery', { mode: 'LATEST', by: '' }),
    code: 'BAD_USER_INPUT',
    message: /^`delivery\.by`/,
  },
  {
    what: 'a since that is no instant',
    ...given('since', 'yesterday'),
    code: 'BAD_USER_INPUT',
    message: /2026-11-23T17:00:00Z/,
  },
  {
    what: 'a since of digits',
    ...given('since', '1700000000000'),
    code: 'BAD_USER_INPUT',
    message: /2026-11-23T17:00:00Z/,
  },
  {
    what: 'a since in the future',
    ...given('since', '2999-01-01T00:00:00Z'),
    code: 'BAD_USER_INPUT',
    message: /^since must not be in the future/,
  },
  {
    what: 'a text that is no cursor',
    request: { arguments: { after: 'hello' } },
    code: 'CURSOR_INVALID',
    message: /cursor/,
  },
  {
    what: 'since together with after',
    request: { arguments: { since: '2026-11-23T17:00:00Z', after: 'hello' } },
    code: 'BAD_USER_INPUT',
    message: /^give since or after, not both/,
    argument: 'since',
  },
];

export const refusalScenarios: readonly Scenario[] = [
  ...refusals.map(
    (refusal): Scenario => ({
      title: `${refusal.what} is refused with ${refusal.code}`,
      async play(t, open, transport) {
        const { code, message, request, argument } = refusal;
        const stage = await open(t);
        const topic = await stage.createTopic('acme', 'purchases');
        const login = 'login' in refusal ? refusal.login : reader;
        const received = transport.subscribe(t, stage.server.url, login, {
          holds: 'events',
          topic: topic.name,
          arguments: {},
          ...request,
        });
        const ending = await received.ended;
        assertEnding(ending, code);
        assert.match(ending.message, message);
        if (argument !== undefined) assert.equal(ending.argument, argument);
        assert.deepEqual(received.items, []);
      },
    }),
  ),
  {
    title: 'a cursor of another topic is refused with CURSOR_INVALID',
    async play(t, open, transport) {
      const stage = await open(t);
      const [topic, another] = [
        await stage.createTopic('acme', 'purchases'),
        await stage.createTopic('acme', 'signups'),
      ];
      const { url } = stage.server;
      const request = {
        holds: 'events',
        topic: topic.name,
        arguments: { order: 'ARRIVAL' },
      } as const;
      const received = transport.subscribe(t, url, reader, request);
      await feedIs(stage.server, topic.kafkaTopic);
      await stage.record(topic, [eventRecord({ id: 'a' })]);
      const [item] = await received.atLeast(1);
      const elsewhere = transport.subscribe(t, url, reader, {
        ...request,
        topic: another.name,
        arguments: { order: 'ARRIVAL', after: item?.['cursor'] },
      });
      assertEnding(await elsewhere.ended, 'CURSOR_INVALID');
    },
  },
  {
    title: "another project's topic looks like one that is not there",
    async play(t, open, transport) {
      const stage = await open(t);
      await stage.createTopic('acme', 'purchases');
      const theirs = await stage.createTopic('globex', 'secret');
      const endingOf = (topic: string): Promise<Ending> =>
        transport.subscribe(t, stage.server.url, reader, {
          holds: 'events',
          topic,
          arguments: {},
        }).ended;
      const [foreign, missing] = [await endingOf(theirs.name), await endingOf('nowhere')];
      assertEnding(foreign, 'TOPIC_NOT_FOUND');
      assert.deepEqual(
        { ...foreign, message: foreign.message.replaceAll(theirs.name, 'nowhere') },
        missing,
      );
    },
  },
];

/** That it ended with this code, and that all there is beside it fits. */
export function assertEnding(
  { code, closeCode, status, message }: Ending,
  expected: ErrorCode,
): void {
  const row = errorTable[expected];
  if (code !== undefined) assert.equal(code, expected, message);
  // Only a WebSocket of GraphQL is closed without a message before.
  else assert.equal(closeCode, row.closeCode, message);
  if (closeCode !== undefined) assert.equal(closeCode, row.closeCode);
  if (status !== undefined) assert.equal(status, row.httpStatus);
}
