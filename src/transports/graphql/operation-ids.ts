/**
 * The ids of a socket's operations while graphql-ws is at work on them, ours beside the client's.
 *
 * graphql-ws keeps operations by the id that the client chose. When a client completes an operation
 * that is still being set up and uses its id again, the first one outlives its socket. So each
 * operation gets an id of its own here, which is never used twice.
 */
export class OperationIds {
  // Most connections have no operation at work at most times.
  #own: Map<string, string> | undefined;
  #client: Map<string, string> | undefined;
  #last = 0;

  /** Our id for a new operation; undefined: the client's id is in use. */
  open(clientId: string): string | undefined {
    if (this.#own?.has(clientId) === true) return undefined;
    this.#last += 1;
    const own = String(this.#last);
    (this.#own ??= new Map()).set(clientId, own);
    (this.#client ??= new Map()).set(own, clientId);
    return own;
  }

  /** The client's id of an operation; undefined: it has been completed. */
  clientIdOf(own: string): string | undefined {
    return this.#client?.get(own);
  }

  /** The client completes its operation; answers our id of it. */
  closeByClient(clientId: string): string | undefined {
    const own = this.#own?.get(clientId);
    if (own !== undefined) this.#forget(clientId, own);
    return own;
  }

  /** The server completes an operation, or goes on with it by itself; answers the client's id of it. */
  closeByServer(own: string): string | undefined {
    const clientId = this.#client?.get(own);
    if (clientId !== undefined) this.#forget(clientId, own);
    return clientId;
  }

  #forget(clientId: string, own: string): void {
    this.#own?.delete(clientId);
    this.#client?.delete(own);
    if (this.#own?.size !== 0) return;
    this.#own = undefined;
    this.#client = undefined;
  }
}
