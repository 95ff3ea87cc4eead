import { type ExecutionArgs, type ExecutionResult, execute, GraphQLError } from 'graphql';
import { MillraceError } from '../../core/errors.ts';
import type { Message } from '../../hub/message.ts';
import { lengthOf, stringifyResult } from './json-text.ts';

const nothing = Buffer.alloc(0);

/**
 * What a subscription selects of its messages, for all that select the same: each message is executed and
 * serialised once, whoever subscribes.
 *
 * That is so as long as no resolver looks at the context, and so at who asks. As soon as one does, the
 * selection is no longer shared: it is executed for each subscriber with its own context.
 */
export class Selection {
  readonly #args: ExecutionArgs;
  readonly #masked: (result: ExecutionResult) => ExecutionResult;
  readonly #maxBytes: number;
  #isShared = true;

  /**
   * @param args of the first who selected it; the others' variables that matter are the same
   * @param maxBytes most that a text may have. @default no limit
   */
  constructor(
    args: ExecutionArgs,
    masked: (result: ExecutionResult) => ExecutionResult,
    maxBytes = Number.POSITIVE_INFINITY,
  ) {
    this.#args = args;
    this.#masked = masked;
    this.#maxBytes = maxBytes;
  }

  /** False: the text depends on the context. It may be found out with any message. */
  get isShared(): boolean {
    return this.#isShared;
  }

  /**
   * The result as JSON text in UTF-8, without line breaks between its tokens.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`: it would be too much; it is not written then
   */
  textOf(message: Message, context: () => unknown): Buffer {
    if (this.#isShared) {
      const text = message.once(this, () => this.#execute(message, this.#watchedContext));
      if (this.#isShared) return text;
    }
    return this.#execute(message, context());
  }

  /** The resolvers of a message answer at once: nothing there waits for anything. */
  #execute(rootValue: Message, contextValue: unknown): Buffer {
    const result = execute({ ...this.#args, rootValue, contextValue });
    if (result instanceof Promise) throw new Error('a resolver of a message must answer at once');
    // It was looked at: what came of it is nobody's result, and its errors are none.
    if (contextValue === this.#watchedContext && !this.#isShared) return nothing;
    const shown = unlocated(this.#masked(result));
    this.#assertWithin(lengthOf(shown));
    return Buffer.from(stringifyResult(shown));
  }

  /** A result refers to the texts of events, however often they are selected: written, each takes as much again. */
  #assertWithin(bytes: number): void {
    if (bytes <= this.#maxBytes) return;
    const limit = 'limits.messageBytes';
    throw new MillraceError(
      'LIMIT_EXCEEDED',
      `what is selected has ${bytes} bytes in one message, which may have ${this.#maxBytes} (${limit}): select less, each thing once, or fewer events in a batch`,
      { limit },
    );
  }

  /** Tells when somebody looks at it, in whatever way. */
  readonly #watchedContext: object = new Proxy(
    {},
    {
      get: () => this.#lookedAt(),
      has: () => this.#lookedAt(),
      ownKeys: () => this.#lookedAt(),
      getOwnPropertyDescriptor: () => this.#lookedAt(),
      getPrototypeOf: () => this.#lookedAt(),
    },
  );

  #lookedAt(): never {
    this.#isShared = false;
    throw new Error('this selection depends on who asks');
  }
}

/** Without the places in the document that its errors are about: the others have other documents. */
function unlocated(result: ExecutionResult): ExecutionResult {
  const errors = result.errors?.map(
    ({ message, path, extensions }) =>
      new GraphQLError(message, { extensions, path: path ?? null }),
  );
  return errors === undefined ? result : { ...result, errors };
}
