import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MillraceError } from '../../../src/core/errors.ts';
import {
  assertSafeProjectId,
  kafkaTopic,
  projectIdProblem,
  topicName,
  topicOf,
  topicTemplateProblem,
} from '../../../src/decode/topic-name.ts';
import { anyText } from '../../support/arbitrary-json.ts';

/** Templates of every form that is allowed. */
const templates = [
  '{projectId}.{topic}',
  '{projectId}-_{topic}',
  'x.{topic}.{projectId}',
  '{topic}._{projectId}-y',
];

function refuses(argument: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MillraceError);
    assert.equal(error.code, 'BAD_USER_INPUT');
    assert.equal(error.details.argument, argument);
    assert.match(error.message, message);
    return true;
  };
}

describe('topicName', () => {
  it('puts one _ for each code point that Kafka does not allow', () => {
    for (const [collection, topic] of [
      ['$my collection$ %', '_my_collection___'],
      ['purchases', 'purchases'],
      ['A-z.0_9', 'A-z.0_9'],
      ['é', '_'],
      ['e\u0301', 'e_'],
      ['😀', '_'],
      ['\ud83d', '_'],
      ['\ude00\ud83d', '__'],
      ['a/b{topic}\n', 'a_b_topic__'],
      ['', ''],
    ] as const) {
      assert.equal(topicName(collection), topic);
    }
  });

  it('leaves nothing that Kafka does not allow, and as many characters as there were code points', () => {
    fc.assert(
      fc.property(anyText, (collection) => {
        const topic = topicName(collection);
        assert.match(topic, /^[A-Za-z0-9._-]*$/);
        assert.equal(topic.length, Array.from(collection).length);
        assert.equal(topicName(topic), topic);
      }),
    );
  });
});

function name(topic: string): string {
  return kafkaTopic('{topic}', { projectId: 'a', topic });
}

describe('kafkaTopic', () => {
  it('fills the template', () => {
    const names = { projectId: 'staging', topic: '$my collection$ %' };
    assert.equal(kafkaTopic('{topic}', names), '_my_collection___');
    assert.equal(kafkaTopic('{projectId}.{topic}', names), 'staging._my_collection___');
    assert.equal(kafkaTopic('x-{topic}-{projectId}', names), 'x-_my_collection___-staging');
  });

  it('does not look at braces or dollars in the names', () => {
    assert.equal(
      kafkaTopic('{projectId}.{topic}', { projectId: 'a', topic: '{projectId}$&' }),
      'a._projectId___',
    );
    for (const projectId of ['{topic}', '$&', 'a b', 'é', '']) {
      assert.throws(
        () => kafkaTopic('{projectId}.{topic}', { projectId, topic: 't' }),
        refuses('projectId', /The project id must/),
      );
    }
  });

  it('refuses what cannot be a topic of Kafka', () => {
    assert.throws(() => name(''), refuses('topic', /name/));
    assert.throws(() => name('.'), refuses('topic', /`\.`/));
    assert.throws(() => name('..'), refuses('topic', /`\.\.`/));
    assert.equal(name('...'), '...');
    assert.equal(name('é'.repeat(249)).length, 249);
    assert.throws(
      () => name('a'.repeat(250)),
      refuses('topic', /250 characters; the limit is 249/),
    );
    assert.throws(
      () => kafkaTopic('{projectId}.{topic}', { projectId: 'ab', topic: 'a'.repeat(247) }),
      refuses('topic', /250/),
    );
  });

  it('takes any project id where the template does not hold it', () => {
    assert.equal(kafkaTopic('{topic}', { projectId: 'a.b {c}', topic: 't' }), 't');
  });
});

/** As it would be without the check of project ids. */
function naive(projectId: string, topic: string): string {
  return `${projectId}.${topic}`;
}

describe('isolation', () => {
  const projectId = fc.string({
    unit: fc.constantFrom('a', '.', '-', '_'),
    minLength: 1,
    maxLength: 5,
  });
  const topic = fc.string({
    unit: fc.constantFrom('a', '.', '-', '_'),
    minLength: 1,
    maxLength: 7,
  });

  it('gives no topic to two projects', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...templates),
        projectId,
        projectId,
        topic,
        (template, p, q, topic) => {
          fc.pre(p !== q);
          fc.pre(projectIdProblem(template, p) === undefined);
          fc.pre(projectIdProblem(template, q) === undefined);
          const name = kafkaTopic(template, { projectId: p, topic });
          assert.equal(topicOf(template, p, name), topic);
          // Whatever topic the other names, it is not this one: the inverse would know which.
          assert.equal(topicOf(template, q, name), undefined);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('needs what it refuses: without it there are collisions', () => {
    assert.equal(naive('a', 'b.c'), naive('a.b', 'c'));
    assert.throws(
      () => assertSafeProjectId('{projectId}.{topic}', 'a.b'),
      refuses('projectId', /must not contain `\.`/),
    );
    assert.equal(projectIdProblem('{projectId}-{topic}', 'a.b'), undefined);
    assert.notEqual(projectIdProblem('{projectId}-{topic}', 'a-b'), undefined);
    assert.notEqual(projectIdProblem('{topic}._{projectId}', 'a_b'), undefined);
    assert.equal(projectIdProblem('{topic}._{projectId}', 'a.b'), undefined);
    assert.notEqual(projectIdProblem('{projectId}-_{topic}', 'a-b'), undefined);
    assert.equal(projectIdProblem('{projectId}-_{topic}', 'a_b'), undefined);
  });

  it('holds for dead-letter topics, if the suffix is part of the topic', () => {
    const template = '{topic}.{projectId}';
    const letters = kafkaTopic(template, { projectId: 'a', topic: 't-dlq' });
    assert.notEqual(letters, kafkaTopic(template, { projectId: 'a-dlq', topic: 't' }));
  });
});

describe('topicOf', () => {
  it('is the inverse of kafkaTopic', () => {
    assert.equal(topicOf('{topic}', 'any', 'purchases'), 'purchases');
    assert.equal(topicOf('{projectId}.{topic}', 'staging', 'staging.a.b'), 'a.b');
  });

  it('knows no topic of others, and none without a name', () => {
    for (const name of ['staging.', 'staging', 'staging2.a', 'stagin.a', 'a', '', '.a']) {
      assert.equal(topicOf('{projectId}.{topic}', 'staging', name), undefined, name);
    }
    assert.equal(topicOf('{projectId}.{topic}', 'sta.ging', 'sta.ging.a'), undefined);
    assert.equal(topicOf('x{topic}x', 'a', 'x'), undefined);
    assert.equal(topicOf('x{topic}x', 'a', 'xx'), undefined);
  });
});

describe('topicTemplateProblem', () => {
  it('accepts templates that isolate', () => {
    for (const template of ['{topic}', 'prod.{topic}', ...templates]) {
      assert.equal(topicTemplateProblem(template), undefined, template);
    }
  });

  it('says what is wrong with others', () => {
    for (const [template, problem] of [
      ['', /\{topic\} exactly once/],
      ['{projectId}', /\{topic\} exactly once/],
      ['{topic}{topic}', /\{topic\} exactly once/],
      ['{projectId}.{topic}.{projectId}', /at most once/],
      ['{project}.{topic}', /only \{topic\} and \{projectId\}/],
      ['{topic}}', /only \{topic\} and \{projectId\}/],
      ['{projectId}/{topic}', /letters/],
      ['{projectId}{topic}', /separator/],
      ['{topic}{projectId}', /separator/],
    ] as const) {
      assert.match(topicTemplateProblem(template) ?? '', problem, template);
    }
  });

  it('leaves no project id to a template without a separator', () => {
    assert.notEqual(projectIdProblem('{projectId}{topic}', 'a'), undefined);
  });
});
