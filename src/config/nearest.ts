import { distance } from 'fastest-levenshtein';

/**
 * The known name that the writer of an unknown one most likely meant. Compares whole paths, and last
 * segments as well, so that a setting in the wrong section finds its right one.
 */
export function nearest(unknown: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const apart = Math.min(
      distance(unknown.toLowerCase(), candidate.toLowerCase()),
      distance(lastSegment(unknown), lastSegment(candidate)) + 0.5,
    );
    if (apart < bestDistance) {
      best = candidate;
      bestDistance = apart;
    }
  }
  return best;
}

/** The message about an unknown name. @param what it would be the name of */
export function unknownName(
  name: string,
  known: readonly string[],
  what: 'setting' | 'operation' = 'setting',
): string {
  return `unknown ${what}; the nearest known one is ${nearest(name, known) ?? 'none'}`;
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1).toLowerCase();
}
