import { createHash } from 'node:crypto';

/**
 * Bytes that stand for a topic's id. Another topic of the same name looks alike once in four thousand
 * million times, and nothing is kept secret by it.
 */
export const fingerprintBytes = 4;

/**
 * The cluster's ids of the topics that a stream reads: that of the topic, and for dead letters that of
 * its dead-letter topic. `null`: not known, as where the client cannot learn it or the topic does not exist yet.
 */
export type TopicIds = readonly [string | null] | readonly [string | null, string | null];

/** One fingerprint after the other; of an id that is not known, zeros. */
export function fingerprintsOf(topicIds: TopicIds): Uint8Array {
  return Buffer.concat(topicIds.map(fingerprintOf));
}

/** Whether none of the topics is known to be another one than then. */
export function maybeSame(then: Uint8Array, now: Uint8Array): boolean {
  for (let from = 0; from < now.length; from += fingerprintBytes) {
    const before = then.subarray(from, from + fingerprintBytes);
    const after = now.subarray(from, from + fingerprintBytes);
    if (isKnown(before) && isKnown(after) && Buffer.compare(before, after) !== 0) return false;
  }
  return true;
}

function fingerprintOf(topicId: string | null): Uint8Array {
  if (topicId === null) return new Uint8Array(fingerprintBytes);
  const fingerprint = createHash('sha256').update(topicId).digest().subarray(0, fingerprintBytes);
  // Zeros are taken.
  return isKnown(fingerprint) ? fingerprint : new Uint8Array(fingerprintBytes).fill(1);
}

function isKnown(fingerprint: Uint8Array): boolean {
  return fingerprint.some((byte) => byte !== 0);
}
