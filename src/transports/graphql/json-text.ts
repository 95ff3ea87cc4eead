/** JSON that is already text, to be put into a response as it is. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** For those who write results in another way: numbers beyond 2^53 lose digits then. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/**
 * `JSON.stringify` for the results of GraphQL operations, which may hold `JsonText`. Recursion is as
 * deep as the operation's selection, which is limited.
 */
export function stringifyResult(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    let text = '[';
    for (let index = 0; index < value.length; index += 1) {
      if (index > 0) text += ',';
      text += stringifyResult(value[index]);
    }
    return `${text}]`;
  }
  if (hasToJson(value)) return stringifyResult(value.toJSON());
  let text = '{';
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined || typeof member === 'function') continue;
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(key)}:${stringifyResult(member)}`;
  }
  return `${text}}`;
}

/** How many characters `stringifyResult` writes of a value, or somewhat fewer: escapes are not looked for. */
export function lengthOf(value: unknown): number {
  if (value instanceof JsonText) return value.text.length;
  if (typeof value === 'string') return value.length + 2;
  if (value === null || typeof value !== 'object') return 1;
  let length = 2;
  if (Array.isArray(value)) {
    for (const item of value) length += lengthOf(item) + 1;
    return length;
  }
  for (const [key, member] of Object.entries(value)) length += key.length + lengthOf(member) + 4;
  return length;
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
