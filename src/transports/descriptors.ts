import { readFileSync } from 'node:fs';

/** How many connections of clients fit into the file descriptors that the process may have. */
export interface Room {
  /** That are served. */
  readonly connections: number;
  /** Further ones that are told that there are too many. */
  readonly refused: number;
}

/** Descriptors that are kept for Kafka and for files: an eighth, within these. */
const keptAtLeast = 64;
const keptAtMost = 1_024;
const refusedAtMost = 100;

/**
 * @param wanted most connections to serve
 * @param descriptors that the process may have; undefined: it is not known
 */
export function roomFor(wanted: number, descriptors = mostDescriptors()): Room {
  const kept = Math.min(keptAtMost, Math.max(keptAtLeast, descriptors / 8));
  const room = Math.max(2, Math.floor(descriptors - kept));
  const refused = Math.max(1, Math.min(refusedAtMost, Math.floor(room / 4)));
  return { connections: Math.min(wanted, room - refused), refused };
}

/** Linux tells; elsewhere there is nothing to go by. */
function mostDescriptors(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const [, soft = ''] = /^Max open files +(\d+)/m.exec(limits) ?? [];
    return soft === '' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch (error) {
    if (error instanceof Error && 'code' in error) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
