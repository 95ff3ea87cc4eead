import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LruMap } from '../../core/lru-map.ts';
import { namingArgument } from './argument-of.ts';
import type { GraphqlContext } from './context.ts';
import { type DocumentLimits, overLimit, refusal } from './document-limits.ts';

export interface EngineOptions {
  readonly schema: GraphQLSchema;
  readonly limits: DocumentLimits;
  readonly introspection: boolean;
  /** What a client may see of an error. */
  readonly mask: (error: unknown) => GraphQLError;
}

/** What a client sends for an operation. */
export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined;
}

/** An operation that may be executed: parsed, within the limits, valid. */
export interface Operation {
  readonly kind: 'query' | 'subscription';
  readonly args: ExecutionArgs;
}

/** A subscription's messages, each as the execution of the selection on it. */
export type ResultBatches = AsyncIterableIterator<readonly (() => ExecutionResult)[]>;

/** Most documents that are remembered as parsed and valid, … */
const maxDocuments = 1_000;
/** … and most characters of their texts together; what is made of a text takes 20 bytes for each. */
const maxDocumentCharacters = 1_000_000;

/**
 * Parses, checks and executes operations, for every transport alike. Documents are parsed and
 * validated once for each text. What comes out of it is masked.
 */
export class GraphqlEngine {
  readonly schema: GraphQLSchema;
  readonly mask: (error: unknown) => GraphQLError;
  readonly #limits: DocumentLimits;
  readonly #rules: Parameters<typeof validate>[2];
  readonly #documents = new LruMap<string, DocumentNode>({
    maxSize: maxDocuments,
    maxWeight: maxDocumentCharacters,
    weightOf: (text) => text.length,
  });

  constructor({ schema, limits, introspection, mask }: EngineOptions) {
    this.schema = schema;
    this.mask = mask;
    this.#limits = limits;
    this.#rules = introspection
      ? specifiedRules
      : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  }

  /** The document of a text, or what is wrong with it. */
  document(text: string): DocumentNode | readonly GraphQLError[] {
    const known = this.#documents.get(text);
    if (known !== undefined) return known;
    const document = this.#check(text);
    // A refused text is not remembered: it would let anyone fill the memory with long texts.
    if (!isErrors(document)) this.#documents.set(text, document);
    return document;
  }

  /** An operation to be executed with `context`, or what is wrong with it. */
  operation(
    request: OperationRequest,
    context: GraphqlContext,
  ): Operation | readonly GraphQLError[] {
    const document = this.document(request.query);
    if (isErrors(document)) return document;
    const operation = getOperationAST(document, request.operationName);
    if (!operation) {
      return [
        new GraphQLError(
          'the document has no such operation; name one of its operations in operationName',
          { extensions: { code: 'BAD_USER_INPUT', argument: 'operationName' } },
        ),
      ];
    }
    return {
      kind: operation.operation === OperationTypeNode.SUBSCRIPTION ? 'subscription' : 'query',
      args: {
        schema: this.schema,
        document,
        contextValue: context,
        variableValues: request.variables ?? {},
        operationName: request.operationName ?? null,
      },
    };
  }

  async execute(args: ExecutionArgs): Promise<ExecutionResult> {
    return this.#masked(await execute(args), args);
  }

  /** Resolves when the subscription is accepted, or to a result that says why it is not. */
  async subscribe(args: ExecutionArgs): Promise<ResultBatches | ExecutionResult> {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return this.#masked(source, args);
    return mapBatches(
      source[Symbol.asyncIterator](),
      (message) => this.#executeMessage(args, message),
      this.mask,
    );
  }

  /** The resolvers below a subscription's field answer at once: nothing there waits for anything. */
  #executeMessage(args: ExecutionArgs, message: unknown): ExecutionResult {
    const result = execute({ ...args, rootValue: message });
    if (result instanceof Promise) throw new Error('a resolver of a message must answer at once');
    return this.#masked(result, args);
  }

  #masked(result: ExecutionResult, { document }: ExecutionArgs): ExecutionResult {
    if (result.errors === undefined) return result;
    const errors = result.errors.map((error) => namingArgument(this.mask(error), document));
    return { ...result, errors };
  }

  #check(text: string): DocumentNode | readonly GraphQLError[] {
    const limits = this.#limits;
    if (text.length > limits.queryCharacters) {
      return [refusal('queryCharacters', limits, 'characters')];
    }
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: limits.queryTokens });
    } catch (error) {
      if (error instanceof GraphQLError && error.message.includes('token limit')) {
        return [refusal('queryTokens', limits, 'tokens')];
      }
      return [this.mask(error)];
    }
    const tooMuch = overLimit(document, limits);
    if (tooMuch !== undefined) return [tooMuch];
    const errors = validate(this.schema, document, this.#rules);
    if (errors.length === 0) return document;
    return errors.map((error) => namingArgument(this.mask(error), document));
  }
}

export function isErrors(value: object): value is readonly GraphQLError[] {
  return Array.isArray(value);
}

function mapBatches(
  source: AsyncIterator<unknown>,
  executeOne: (message: unknown) => ExecutionResult,
  mask: (error: unknown) => GraphQLError,
): ResultBatches {
  const done = { done: true, value: undefined } as const;
  return {
    async next() {
      try {
        const step = await source.next();
        if (step.done === true) return done;
        if (!Array.isArray(step.value)) throw new Error('a source must yield batches');
        return {
          done: false,
          value: step.value.map((message: unknown) => () => executeOne(message)),
        };
      } catch (error) {
        throw mask(error);
      }
    },
    async return() {
      await source.return?.();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
