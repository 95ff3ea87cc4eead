import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { CursorBinding } from './cursor-binding.ts';

/**
 * The key that cursors are authenticated with, from the text that all instances have: `cursors.secret`,
 * or else the cluster's id. HKDF (RFC 5869) with a salt of its own: the id key is made from the same text
 * (`keyFrom` in ../shared-keys.ts), and knowing one must not help to find the other.
 *
 * @returns 32 bytes
 */
export function cursorKeyFrom(text: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', text, 'millrace cursor', '', 32));
}

/**
 * The key for the cursors of one stream. What a cursor is bound to goes into the key rather than into
 * the cursor: it costs no byte of it, and a cursor of another stream fails like a forged one.
 */
export function boundKey(key: Uint8Array, binding: CursorBinding): KeyObject {
  const info = createHash('sha256')
    .update(JSON.stringify(bound(binding)))
    .digest();
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, 'millrace cursor v1', info, 32)));
}

/** A list, so that no two bindings have the same JSON. */
function bound({ projectId, kafkaTopic, stream }: CursorBinding): readonly unknown[] {
  const whose = [projectId, kafkaTopic];
  if (stream.kind === 'deadLetters') return [...whose, stream.kind, stream.deadLetterTopic];
  const { order, deduplicate, settings } = stream;
  const which = [...whose, stream.kind, order, deduplicate];
  // Only what decides which events have been emitted at a position: other settings may change.
  switch (order) {
    case 'TIMESTAMP': {
      const { id, timestamp, latenessMs, maxAdvanceMs } = settings;
      return [...which, id, timestamp, latenessMs, maxAdvanceMs];
    }
    case 'SEQUENCE':
      return [...which, settings.id, settings.sequence];
    case 'ARRIVAL':
      return deduplicate ? [...which, settings.id] : which;
  }
}
