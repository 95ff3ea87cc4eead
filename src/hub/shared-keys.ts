import { createHash } from 'node:crypto';
import type { KafkaClient } from '../kafka/port.ts';
import { cursorKeyFrom } from './cursor/cursor-key.ts';

/**
 * What all instances must have in common: the key of the digests of event ids, as events of equal time are
 * ordered by their ids' digests, and that of cursors. Both are made from one text, which is given or else the
 * cluster's id, which all instances can ask for.
 */
export class SharedKeys {
  #text: string | null;
  #idKey: Uint8Array | undefined;
  #cursorKey: Uint8Array | undefined;

  /** @param secret `null`: the cluster's id */
  constructor(secret: string | null) {
    this.#text = secret;
  }

  /** Asks for the cluster's id, unless it is not needed. @throws {KafkaError} */
  async learn(client: Pick<KafkaClient, 'clusterId'>): Promise<void> {
    this.#text ??= await client.clusterId();
  }

  /** 32 bytes. @throws {Error} before it was learned */
  get idKey(): Uint8Array {
    this.#idKey ??= keyFrom(this.#known);
    return this.#idKey;
  }

  /** 32 bytes. @throws {Error} before it was learned */
  get cursorKey(): Uint8Array {
    this.#cursorKey ??= cursorKeyFrom(this.#known);
    return this.#cursorKey;
  }

  get #known(): string {
    if (this.#text === null) throw new Error('the cluster is not known yet');
    return this.#text;
  }
}

/** 32 bytes from a text that all instances have. */
export function keyFrom(text: string): Uint8Array {
  return createHash('sha256').update(`id digest ${text}`).digest();
}
