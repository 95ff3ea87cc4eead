import { MillraceError } from '../core/errors.ts';

/**
 * From the name of an event collection to the Kafka topic that holds it, and back.
 *
 * A template (`{topic}`, `{projectId}.{topic}`) places both names in one flat namespace. What it must
 * never do is give two projects the same topic: whoever may name topics freely would then read
 * another's. Why it cannot:
 *
 * - Both names are put in at once, in one pass over the template: braces in either are not looked at
 *   again. Those of the topic have become `_` before that; a project id that holds any is refused.
 * - A project id is taken as it is or refused, never mended: `a b` mended to `a_b` would be the
 *   project `a_b`.
 * - The topic may hold every character that Kafka allows, so the separator between the two must tell
 *   where the project id ends. Let `p` and `q` be different ids, `p + s + t = q + s + u`. Then they are
 *   of different length, say `q` the longer one, and `q` goes on where `s` begins: the first character
 *   of `s` is in `q`. (`{projectId}.{topic}` with project `a`, topic `b.c` and project `a.b`, topic `c`:
 *   both `a.b.c`.) So there must be a separator, and an id that holds its first character is refused.
 *   With the topic in front, by the same argument from the end, it is the separator's last character.
 *
 * A dead-letter topic is isolated by the same proof only if it is itself the topic of a project: append
 * the suffix to `topic`, not to the finished name. With `{topic}.{projectId}`, `t.a` + `-dlq` would be
 * topic `t` of project `a-dlq`.
 *
 * Without `{projectId}` the cluster isolates projects, by their logins.
 */
export type TopicTemplate = string;

/** Kafka's own limit, in characters. */
const maxTopicLength = 249;

/** One `_` for each code point that Kafka does not allow; a lone surrogate counts as one. */
export function topicName(collection: string): string {
  return collection.replaceAll(/[^A-Za-z0-9._-]/gu, '_');
}

/**
 * The Kafka topic of a collection.
 *
 * @throws {MillraceError} `BAD_USER_INPUT`, argument `topic`: no Kafka topic can have that name.
 * Argument `projectId`: see `assertSafeProjectId`.
 */
export function kafkaTopic(
  template: TopicTemplate,
  names: { readonly projectId: string; readonly topic: string },
): string {
  assertSafeProjectId(template, names.projectId);
  if (names.topic === '') throw unusableTopic('A topic has a name: give the event collection.');
  const topic = topicName(names.topic);
  const name = template.replaceAll(/\{topic\}|\{projectId\}/g, (placeholder) =>
    placeholder === '{topic}' ? topic : names.projectId,
  );
  if (name === '.' || name === '..') throw unusableTopic('Kafka allows no topic `.` or `..`.');
  if (name.length > maxTopicLength) {
    throw unusableTopic(
      `The topic's name in Kafka would have ${name.length} characters; the limit is ${maxTopicLength}.`,
    );
  }
  return name;
}

/** The inverse of `kafkaTopic`; `undefined`: not a topic of this project. */
export function topicOf(
  template: TopicTemplate,
  projectId: string,
  kafkaTopicName: string,
): string | undefined {
  if (projectIdProblem(template, projectId) !== undefined) return undefined;
  const [before = '', after = ''] = template
    .split('{topic}')
    .map((part) => part.replaceAll('{projectId}', () => projectId));
  const end = kafkaTopicName.length - after.length;
  // The first condition also keeps the two from overlapping.
  if (end <= before.length) return undefined;
  if (!kafkaTopicName.startsWith(before) || !kafkaTopicName.endsWith(after)) return undefined;
  return kafkaTopicName.slice(before.length, end);
}

/** What is wrong with a template, for whoever wrote it; `undefined`: nothing. */
export function topicTemplateProblem(template: string): string | undefined {
  const topics = template.split('{topic}').length - 1;
  const projectIds = template.split('{projectId}').length - 1;
  if (topics !== 1) return 'must contain {topic} exactly once';
  if (projectIds > 1) return 'must contain {projectId} at most once';
  const literal = template.replaceAll(/\{topic\}|\{projectId\}/g, '');
  if (/[{}]/.test(literal)) return 'knows only {topic} and {projectId}';
  if (topicName(literal) !== literal) {
    return 'may contain letters A-Z and a-z, digits, `.`, `_` and `-` beside {topic} and {projectId}';
  }
  if (projectIds === 1 && separatorOf(template) === '') {
    return 'needs a separator between {projectId} and {topic}, such as `.`';
  }
  return undefined;
}

/**
 * What keeps a project id out of this template, for whoever chose it; `undefined`: nothing. Without
 * `{projectId}` every id will do.
 */
export function projectIdProblem(template: TopicTemplate, projectId: string): string | undefined {
  if (!template.includes('{projectId}')) return undefined;
  if (projectId === '') return 'must not be empty';
  if (topicName(projectId) !== projectId) {
    return 'must consist of letters A-Z and a-z, digits, `.`, `_` and `-`: it becomes part of topic names';
  }
  const separator = separatorOf(template);
  const boundary =
    template.indexOf('{projectId}') < template.indexOf('{topic}')
      ? separator.charAt(0)
      : separator.charAt(separator.length - 1);
  if (boundary === '' || projectId.includes(boundary)) {
    return `must not contain \`${boundary}\`, which separates it from the topic in ${template}`;
  }
  return undefined;
}

/**
 * @throws {MillraceError} `BAD_USER_INPUT`, argument `projectId`: with this template the project could
 * reach topics of another one.
 */
export function assertSafeProjectId(template: TopicTemplate, projectId: string): void {
  const problem = projectIdProblem(template, projectId);
  if (problem !== undefined) {
    throw new MillraceError('BAD_USER_INPUT', `The project id ${problem}.`, {
      argument: 'projectId',
    });
  }
}

/** What stands between the two placeholders. */
function separatorOf(template: TopicTemplate): string {
  const [, forwards, backwards] =
    /\{projectId\}(.*)\{topic\}|\{topic\}(.*)\{projectId\}/.exec(template) ?? [];
  return forwards ?? backwards ?? '';
}

function unusableTopic(message: string): MillraceError {
  return new MillraceError('BAD_USER_INPUT', message, { argument: 'topic' });
}
