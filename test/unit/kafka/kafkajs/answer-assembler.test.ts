import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { AnswerAssembler } from '../../../../src/kafka/kafkajs/answer-assembler.ts';

/** An answer as a broker sends it. */
function answerOf(content: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(content.length);
  return Buffer.concat([prefix, content]);
}

/** What comes out when all is sent in pieces that end at these places. */
function assembled(sent: Buffer, cuts: readonly number[]): Buffer[] {
  const answers: Buffer[] = [];
  const assembler = new AnswerAssembler(
    (bytes) => Buffer.alloc(bytes),
    (answer) => answers.push(answer),
  );
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), sent.length]) {
    // As a socket does: the memory is used again for what comes next.
    const piece = Buffer.from(sent.subarray(from, cut));
    assembler.take(piece);
    piece.fill(0xff);
    from = cut;
  }
  return answers;
}

test('however it comes, each answer is put together as it was sent', () => {
  const content = fc.uint8Array({ minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(fc.array(content, { maxLength: 8 }), fc.array(fc.nat()), (contents, numbers) => {
      const answers = contents.map(answerOf);
      const sent = Buffer.concat(answers);
      const cuts = numbers.map((number) => number % (sent.length + 1));
      assert.deepEqual(assembled(sent, cuts), answers);
    }),
  );
});

test('a long answer gets its memory as it comes, and is whole', () => {
  const answer = answerOf(Buffer.alloc(40 * 1024 * 1024, 'long'));
  const asked: number[] = [];
  const answers: Buffer[] = [];
  const assembler = new AnswerAssembler(
    (bytes) => {
      asked.push(bytes);
      return Buffer.alloc(bytes);
    },
    (whole) => answers.push(whole),
  );
  assembler.take(answer.subarray(0, 100));
  assert.deepEqual(asked, [8 * 1024 * 1024]);
  for (let at = 100; at < answer.length; at += 1_000_000) {
    assembler.take(answer.subarray(at, at + 1_000_000));
  }
  assert.deepEqual(asked.slice(1), [16 * 1024 * 1024, 32 * 1024 * 1024, answer.length]);
  assert.ok(answers[0]?.equals(answer));
  assert.equal(answers.length, 1);
});

test('what no broker can have sent is an error', () => {
  for (const length of [-1, 0]) {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(length);
    assert.throws(() => assembled(prefix, []), /no Kafka broker/);
  }
});
