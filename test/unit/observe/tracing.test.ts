import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attributes, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { MillraceError } from '../../../src/core/errors.ts';
import { traced } from '../../../src/observe/tracing.ts';

interface Seen {
  readonly name: string;
  readonly attributes: Attributes | undefined;
  status?: unknown;
  ended?: boolean;
}

/** An SDK of which only is asked what Millrace uses. */
function pretendSdk(): Seen[] {
  const seen: Seen[] = [];
  const noop = trace.getTracer('noop').startSpan('noop', {}, ROOT_CONTEXT);
  const spanOf = (record: Seen): Span =>
    Object.assign(Object.create(noop), {
      setStatus: (status: unknown) => Object.assign(record, { status }),
      end: () => Object.assign(record, { ended: true }),
    });
  trace.setGlobalTracerProvider({
    getTracer: () => ({
      startSpan(name, options) {
        const record: Seen = { name, attributes: options?.attributes };
        seen.push(record);
        return spanOf(record);
      },
      startActiveSpan: () => assert.fail('not used'),
    }),
  });
  return seen;
}

test('without an SDK the work is done all the same', async () => {
  assert.equal(await traced('a', {}, async () => 1), 1);
});

test('an SDK that is loaded gets a span, with the code of what failed and none of its words', async () => {
  const seen = pretendSdk();
  await traced('done', { 'millrace.topic': 't' }, async () => undefined);
  const refusal = new MillraceError('FORBIDDEN', 'the words');
  await assert.rejects(
    traced('refused', {}, () => Promise.reject(refusal)),
    refusal,
  );
  const fault = new Error('the password is hunter2');
  await assert.rejects(
    traced('failed', {}, () => Promise.reject(fault)),
    fault,
  );
  assert.deepEqual(seen, [
    { name: 'done', attributes: { 'millrace.topic': 't' }, ended: true },
    { name: 'refused', attributes: {}, status: { code: 2, message: 'FORBIDDEN' }, ended: true },
    { name: 'failed', attributes: {}, status: { code: 2, message: 'INTERNAL' }, ended: true },
  ]);
});
