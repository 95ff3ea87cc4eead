import { KafkaError, type KafkaSasl } from '../port.ts';

/** Who may log in to the embedded log, and what they may read. */
export interface EmbeddedUser {
  readonly username: string;
  /** For OAUTHBEARER: the token. */
  readonly password: string;
  /** @default every topic */
  readonly mayRead?: (topic: string) => boolean;
}

const anybody: EmbeddedUser = { username: '', password: '' };

/** The logins that the embedded log accepts at the moment. */
export class EmbeddedUsers {
  /** `null`: anybody, and without a login too. */
  #users: readonly EmbeddedUser[] | null;

  constructor(users: readonly EmbeddedUser[] | null) {
    this.#users = users;
  }

  replace(users: readonly EmbeddedUser[] | null): void {
    this.#users = users;
  }

  /** @throws KafkaError `AUTHENTICATION_FAILED`; `UNAVAILABLE` when no token can be had */
  async login(sasl: KafkaSasl | null): Promise<string> {
    const username = await this.#usernameOf(sasl);
    if (username === null) throw new KafkaError('AUTHENTICATION_FAILED', 'the login was refused');
    return username;
  }

  /** Judged anew at every call, as access control lists are. */
  mayRead(username: string, topic: string): boolean {
    if (!this.#users) return true;
    const user = this.#users.find((user) => user.username === username);
    // Who is no longer listed keeps what the open connection has: only a new login is refused.
    return user?.mayRead?.(topic) ?? true;
  }

  async #usernameOf(sasl: KafkaSasl | null): Promise<string | null> {
    if (!this.#users) return anybody.username;
    if (!sasl) return null;
    const token = sasl.mechanism === 'OAUTHBEARER' ? await bearerToken(sasl.token) : null;
    const user = this.#users.find((user) =>
      sasl.mechanism === 'OAUTHBEARER'
        ? user.password === token
        : user.username === sasl.username && user.password === sasl.password,
    );
    return user?.username ?? null;
  }
}

async function bearerToken(token: () => Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (cause) {
    throw new KafkaError('UNAVAILABLE', 'no bearer token could be had', { cause });
  }
}
