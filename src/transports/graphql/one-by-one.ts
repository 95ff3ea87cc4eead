import type { GraphQLError } from 'graphql';
import type { Message } from '../../hub/message.ts';
import type { Subscription } from '../../hub/subscription.ts';

/**
 * A subscription of the hub as GraphQL servers want a source: one message at a time. Not a generator: its
 * `return()` would wait for a message that may never come.
 */
export class OneByOne<Item extends Message> implements AsyncIterableIterator<Item> {
  readonly #subscription: Subscription<Item>;
  readonly #mask: (error: unknown) => GraphQLError;
  #taken: Item[] = [];

  /** @param mask what a client may see of the error that ends it */
  constructor(subscription: Subscription<Item>, mask: (error: unknown) => GraphQLError) {
    this.#subscription = subscription;
    this.#mask = mask;
  }

  async next(): Promise<IteratorResult<Item>> {
    for (;;) {
      const value = this.#taken.shift();
      if (value !== undefined) return { done: false, value };
      const pulled = await this.#pull();
      if (pulled.done === true) return { done: true, value: undefined };
      this.#taken = [...pulled.value];
    }
  }

  async return(): Promise<IteratorResult<Item>> {
    this.#taken = [];
    await this.#subscription.return();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #pull(): Promise<IteratorResult<readonly Item[]>> {
    try {
      return await this.#subscription.next();
    } catch (error) {
      throw this.#mask(error);
    }
  }
}
