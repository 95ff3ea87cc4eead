/** Browsers from 2023 to 2025 on have it; without it numbers beyond 2^53 are shown as JavaScript rounds them. */
const rawJson: unknown = Reflect.get(JSON, 'rawJSON');

/** As `JSON.parse`, but numbers keep their digits: `JSON.stringify` writes them as they came. */
export function parseExactly(text: string): ReturnType<typeof JSON.parse> {
  return JSON.parse(text, keepDigits);
}

/** A number that would not have kept its digits, as it was written. */
export function isWritten(value: object): value is { readonly rawJSON: string } {
  return Object.getPrototypeOf(value) === null && 'rawJSON' in value;
}

function keepDigits(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  const isExact = typeof value !== 'number' || source === undefined || source === String(value);
  return isExact || typeof rawJson !== 'function' ? value : rawJson(source);
}
