/**
 * The ids of a socket's operations, ours beside the client's.
 *
 * graphql-ws keeps operations by the id that the client chose. When a client completes an operation
 * that is still being set up and uses its id again, the first one outlives its socket. So each
 * operation gets an id of its own here, which is never used twice.
 */
export class OperationIds {
  readonly #own = new Map<string, string>();
  readonly #client = new Map<string, string>();
  #last = 0;

  /** Our id for a new operation; undefined: the client's id is in use. */
  open(clientId: string): string | undefined {
    if (this.#own.has(clientId)) return undefined;
    this.#last += 1;
    const own = String(this.#last);
    this.#own.set(clientId, own);
    this.#client.set(own, clientId);
    return own;
  }

  /** The client's id of an operation; undefined: it has been completed. */
  clientIdOf(own: string): string | undefined {
    return this.#client.get(own);
  }

  /** The client completes its operation; answers our id of it. */
  closeByClient(clientId: string): string | undefined {
    const own = this.#own.get(clientId);
    if (own !== undefined) this.#forget(clientId, own);
    return own;
  }

  /** The server completes an operation; answers the client's id of it. */
  closeByServer(own: string): string | undefined {
    const clientId = this.#client.get(own);
    if (clientId !== undefined) this.#forget(clientId, own);
    return clientId;
  }

  #forget(clientId: string, own: string): void {
    this.#own.delete(clientId);
    this.#client.delete(own);
  }
}
