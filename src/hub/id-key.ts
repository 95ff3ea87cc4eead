import { createHash } from 'node:crypto';
import type { KafkaClient } from '../kafka/port.ts';

/**
 * The key of the digests of event ids. It must be equal on all instances, as events of equal time are
 * ordered by their ids' digests: so it is given, or derived from the cluster's id, which all instances
 * can ask for.
 */
export class IdKey {
  #bytes: Uint8Array | null;

  /** @param given 32 bytes; `null`: derived from the cluster's id */
  constructor(given: Uint8Array | null) {
    this.#bytes = given;
  }

  /** Asks for the cluster's id, unless the key is known. @throws {KafkaError} */
  async learn(client: Pick<KafkaClient, 'clusterId'>): Promise<void> {
    this.#bytes ??= keyFrom(await client.clusterId());
  }

  /** @throws {Error} before it was learned */
  get bytes(): Uint8Array {
    if (this.#bytes === null) throw new Error('the id key is not known yet');
    return this.#bytes;
  }
}

/** 32 bytes from a text that all instances have. */
export function keyFrom(text: string): Uint8Array {
  return createHash('sha256').update(`id digest ${text}`).digest();
}
