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
import type { Message } from '../../hub/message.ts';
import { Subscription } from '../../hub/subscription.ts';
import { namingArgument } from './argument-of.ts';
import type { GraphqlContext } from './context.ts';
import { type DocumentLimits, overLimit, refusal } from './document-limits.ts';
import { Selection } from './selection.ts';
import { selectionKey } from './selection-key.ts';

export interface EngineOptions {
  readonly schema: GraphQLSchema;
  readonly limits: DocumentLimits;
  readonly introspection: boolean;
  /** Most bytes of what a subscription selects of one message. @default no limit */
  readonly maxMessageBytes?: number;
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

/** A subscription that was accepted: where its messages come from, and what is made of each. */
export interface Subscribed {
  readonly subscription: Subscription<Message>;
  readonly selection: Selection;
}

/** Most documents that are remembered as parsed and valid, … */
const maxDocuments = 1_000;
/** … and most characters of their texts together; what is made of a text takes 20 bytes for each. */
const maxDocumentCharacters = 1_000_000;
/** Most selections that are remembered; those beyond are made again, and shared among fewer. */
const maxSelections = 2_000;
const maxSelectionCharacters = 2_000_000;

/**
 * Parses, checks and executes operations, for every transport alike. Documents are parsed and
 * validated once for each text. What comes out of it is masked.
 */
export class GraphqlEngine {
  readonly schema: GraphQLSchema;
  readonly mask: (error: unknown) => GraphQLError;
  readonly #limits: DocumentLimits;
  readonly #maxMessageBytes: number | undefined;
  readonly #rules: Parameters<typeof validate>[2];
  readonly #hideSuggestions: boolean;
  readonly #documents = new LruMap<string, DocumentNode>({
    maxSize: maxDocuments,
    maxWeight: maxDocumentCharacters,
    weightOf: (text) => text.length,
  });
  readonly #selections = new LruMap<string, Selection>({
    maxSize: maxSelections,
    maxWeight: maxSelectionCharacters,
    weightOf: (key) => key.length,
  });

  constructor({ schema, limits, introspection, maxMessageBytes, mask }: EngineOptions) {
    this.schema = schema;
    this.mask = mask;
    this.#limits = limits;
    this.#maxMessageBytes = maxMessageBytes;
    this.#hideSuggestions = !introspection;
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
        this.mask(
          new GraphQLError(
            'the document has no such operation; name one of its operations in operationName',
            { extensions: { code: 'BAD_USER_INPUT', argument: 'operationName' } },
          ),
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
    return this.#masked(await execute(this.#discreet(args)), args);
  }

  /** Resolves when the subscription is accepted, or to a result that says why it is not. */
  async subscribe(args: ExecutionArgs): Promise<Subscribed | ExecutionResult> {
    const source = await createSourceEventStream(this.#discreet(args));
    if (source instanceof Subscription) {
      return { subscription: source, selection: this.#selectionOf(args) };
    }
    if (Symbol.asyncIterator in source) throw new Error('only subscriptions of the hub are served');
    return this.#masked(source, args);
  }

  #discreet(args: ExecutionArgs): ExecutionArgs {
    return { ...args, hideSuggestions: this.#hideSuggestions };
  }

  /** One for all who select the same. */
  #selectionOf(args: ExecutionArgs): Selection {
    const { schema, document, operationName, variableValues } = args;
    const operation = getOperationAST(document, operationName);
    if (!operation) throw new Error('an operation without its definition');
    const key = selectionKey(document, operation, variableValues ?? {});
    let selection = this.#selections.get(key);
    if (selection === undefined) {
      const own = { schema, document, operationName, variableValues };
      selection = new Selection(own, (result) => this.#masked(result, own), this.#maxMessageBytes);
      this.#selections.set(key, selection);
    }
    return selection;
  }

  #masked(result: ExecutionResult, { document }: ExecutionArgs): ExecutionResult {
    if (result.errors === undefined) return result;
    const errors = result.errors.map((error) => namingArgument(this.mask(error), document));
    return { ...result, errors };
  }

  #check(text: string): DocumentNode | readonly GraphQLError[] {
    const limits = this.#limits;
    if (text.length > limits.queryCharacters) {
      return [this.mask(refusal('queryCharacters', limits, 'characters'))];
    }
    let document: DocumentNode;
    try {
      document = parse(text, { maxTokens: limits.queryTokens });
    } catch (error) {
      if (error instanceof GraphQLError && error.message.includes('tokens. Parsing aborted')) {
        return [this.mask(refusal('queryTokens', limits, 'tokens'))];
      }
      return [this.mask(error)];
    }
    const tooMuch = overLimit(document, limits);
    if (tooMuch !== undefined) return [this.mask(tooMuch)];
    const errors = validate(this.schema, document, this.#rules, {
      hideSuggestions: this.#hideSuggestions,
    });
    if (errors.length === 0) return document;
    return errors.map((error) => namingArgument(this.mask(error), document));
  }
}

export function isErrors(value: object): value is readonly GraphQLError[] {
  return Array.isArray(value);
}

export function isSubscribed(outcome: Subscribed | ExecutionResult): outcome is Subscribed {
  return 'subscription' in outcome;
}
