import type { Place } from './event.ts';

/** What a topic holds: whose event lies where. */
export class LogCopy {
  readonly #places = new Map<string, Place[]>();
  readonly #ids = new Map<string, string>();

  put(id: string, { partition, offset }: Place): void {
    this.#ids.set(`${partition}/${offset}`, id);
    const place = { partition, offset };
    const places = this.#places.get(id);
    if (places === undefined) this.#places.set(id, [place]);
    else places.push(place);
  }

  /** By id, each place at which it lies. */
  get places(): ReadonlyMap<string, readonly Place[]> {
    return this.#places;
  }

  at({ partition, offset }: Place): string | undefined {
    return this.#ids.get(`${partition}/${offset}`);
  }
}
