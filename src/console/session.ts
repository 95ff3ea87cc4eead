/** A project's credentials, as long as the page is open: they are kept nowhere else. */
export interface Session {
  readonly projectId: string;
  readonly key: string;
}

/** What the server refuses, in its own words. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** How long before its end a token is not used any more, in milliseconds. */
const marginMs = 30_000;

/** Tokens for the page's requests and feeds, so that the key itself goes over the line as rarely as possible. */
export class TokenSource {
  readonly #session: Session;
  #current: { readonly token: string; readonly usableUntilMs: number } | undefined;
  #asked: Promise<string> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * @param refused a token that the server takes no more, as after its restart: another one is due
   * @throws {Refusal} the server takes the credentials no more
   */
  token(refused?: string): Promise<string> {
    const current = this.#current;
    if (current !== undefined && current.token !== refused && Date.now() < current.usableUntilMs) {
      return Promise.resolve(current.token);
    }
    // One request, however many wait for it.
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }

  async #ask(): Promise<string> {
    const { projectId, key } = this.#session;
    const response = await fetch('/tokens', {
      method: 'POST',
      headers: {
        authorization: `Basic ${base64(`${projectId}:${key}`)}`,
        'content-type': 'application/json',
      },
      body: '{"expiresIn":"15m"}',
    });
    const body: { token: string; expiresAt: string } & Refused = await response.json();
    if (!response.ok) throw refusalIn(body);
    this.#current = { token: body.token, usableUntilMs: Date.parse(body.expiresAt) - marginMs };
    return body.token;
  }
}

/** An answer with errors, of GraphQL and of the other paths alike. */
export interface Refused {
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

export function refusalIn({ errors }: Refused): Refusal {
  const [error] = errors ?? [];
  return new Refusal(
    error?.extensions?.code ?? 'INTERNAL',
    error?.message ?? 'the server gave no reason',
  );
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
