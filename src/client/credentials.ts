import { FeedError } from './feed-error.ts';
import type { Surroundings } from './surroundings.ts';

/** Gives a token; called when there is none, or the one before was refused. */
export type TokenSource = () => string | Promise<string>;

/** A token, or a project id and one of its keys. Keys do not belong into browsers. */
export type CredentialsOptions =
  | {
      /** A function is asked for another one when one has expired. */
      readonly token: string | TokenSource;
      readonly projectId?: undefined;
      readonly key?: undefined;
    }
  | { readonly projectId: string; readonly key: string; readonly token?: undefined };

/** What is sent with `auth`. */
export interface Shown {
  readonly fields: Readonly<Record<string, string>>;
  /** There are no others, or these were made for this attempt. */
  readonly isFresh: boolean;
}

/** What all connections of a client show. A token is kept until it is refused. */
export class Credentials {
  readonly #options: CredentialsOptions;
  readonly #surroundings: Surroundings;
  readonly #withinMs: number;
  #asked: Promise<string> | undefined;
  #shown: Shown['fields'] | undefined;

  /** @param withinMs how long the app's function may take */
  constructor(options: CredentialsOptions, surroundings: Surroundings, withinMs: number) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#withinMs = withinMs;
  }

  /** Whether there may be others than those that were refused. */
  get canRenew(): boolean {
    return typeof this.#options.token === 'function';
  }

  /** Rejects with `TOKEN_UNAVAILABLE`, or with a `FeedError` that the app's function threw. */
  async show(): Promise<Shown> {
    const { token, projectId, key } = this.#options;
    if (token === undefined) return { fields: { projectId, key }, isFresh: true };
    if (typeof token === 'string') return { fields: { token }, isFresh: true };
    const isFresh = this.#asked === undefined;
    const asked = (this.#asked ??= this.#ask(token));
    try {
      const given = await asked;
      if (this.#shown?.['token'] !== given) this.#shown = { token: given };
      return { fields: this.#shown, isFresh };
    } catch (error) {
      if (this.#asked === asked) this.#asked = undefined;
      throw error;
    }
  }

  /** They were refused: they are not shown again if there may be others. */
  refused({ fields }: Shown): void {
    if (this.#shown !== fields) return;
    this.#asked = undefined;
    // All feeds are refused them, one after the other: only the first has others asked for.
    this.#shown = undefined;
  }

  async #ask(source: TokenSource): Promise<string> {
    let stop: (() => void) | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const tooLate = new Error(`none within ${this.#withinMs} ms`);
      stop = this.#surroundings.schedule(this.#withinMs, () => reject(tooLate));
    });
    try {
      return await Promise.race([source(), timeout]);
    } catch (cause) {
      if (cause instanceof FeedError) throw cause;
      const message = `no token: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new FeedError('TOKEN_UNAVAILABLE', message, { cause });
    } finally {
      stop?.();
    }
  }
}
