import type { CursorStorage } from './types.ts';

export interface PlaceOptions {
  readonly after: string | undefined;
  readonly storage: CursorStorage | undefined;
  readonly key: string;
}

/** The keys under which open feeds keep their cursors. */
const keysIn = new WeakMap<CursorStorage, Set<string>>();

/** Where the app is in a feed: the cursor of what it has dealt with, kept in a storage if it gave one. */
export class Place {
  readonly #key: string;
  readonly #keys: Set<string> | undefined;
  /** Another open feed keeps its cursor there: each would overwrite where the other is. */
  readonly isTaken: boolean;
  /** Undefined: none was given, or it takes nothing. */
  #storage: CursorStorage | undefined;
  #cursor: string | undefined;

  constructor({ after, storage, key }: PlaceOptions) {
    this.#storage = storage;
    this.#key = key;
    this.#cursor = storage?.getItem(key) ?? after;
    this.#keys = storage && (keysIn.get(storage) ?? new Set());
    this.isTaken = this.#keys?.has(key) ?? false;
    if (storage && this.#keys) keysIn.set(storage, this.#keys.add(key));
  }

  get cursor(): string | undefined {
    return this.#cursor;
  }

  moveTo(cursor: string): void {
    this.#cursor = cursor;
    try {
      this.#storage?.setItem(this.#key, cursor);
    } catch (error) {
      // Full, or forbidden: the feed goes on. An old cursor would repeat what came since.
      console.warn('millrace: the cursor cannot be stored, so a reload begins anew', error);
      this.#remove();
      this.#storage = undefined;
    }
  }

  /** Another feed may keep its cursor there now. What is stored stays. */
  release(): void {
    if (!this.isTaken) this.#keys?.delete(this.#key);
  }

  /** It leads nowhere. */
  forget(): void {
    this.#cursor = undefined;
    this.#remove();
  }

  #remove(): void {
    try {
      this.#storage?.removeItem(this.#key);
    } catch (error) {
      console.warn('millrace: the stored cursor cannot be removed', error);
    }
  }
}
