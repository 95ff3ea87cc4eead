/** Of an event that lacks the property: it counts as `null`. */
export const missingKey = 'null';

/**
 * A text that is the same for equal values, from the JSON text of one. Unlike what comes of parsing it, it
 * tells integers apart at any size. Objects and lists are told apart by their texts: blanks and the order
 * of keys count.
 */
export function valueKey(json: string | undefined): string {
  if (json === undefined) return missingKey;
  const first = json.charAt(0);
  // Without an escape there is one way to write a string.
  if (first === '"') return json.includes('\\') ? JSON.stringify(JSON.parse(json)) : json;
  if (first !== '-' && (first < '0' || first > '9')) return json;
  if (/^-?\d+$/.test(json)) return json === '-0' ? '0' : json;
  const number = Number(json);
  // `String` writes neither -0 nor what a double cannot hold.
  return Number.isFinite(number) ? String(number) : json;
}
