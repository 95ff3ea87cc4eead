import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import type { GraphqlContext } from './context.ts';
import { type GraphqlEngine, isErrors, type ResultBatches } from './engine.ts';
import { stringifyResult } from './json-text.ts';

/** What the HTTP server hands over with an authenticated request. */
export type YogaServerContext = Pick<GraphqlContext, keyof GraphqlContext>;

/**
 * GraphQL over HTTP and over SSE (distinct connections): yoga speaks the protocols, the engine that
 * WebSocket uses as well does the work. The request arrives authenticated.
 */
export function createGraphqlYoga(
  engine: GraphqlEngine,
): YogaServerInstance<YogaServerContext, object> {
  return createYoga<YogaServerContext>({
    schema: engine.schema,
    graphqlEndpoint: '/graphql',
    plugins: [useEngine(engine)],
    maskedErrors: { errorMessage: 'INTERNAL', maskError: (error) => engine.mask(error) },
    logging: false,
    landingPage: false,
    multipart: false,
    // Origins are checked before yoga sees the request, and allowed ones get their headers there.
    cors: false,
    maxRequestBodySize: 100_000,
    // The engine remembers documents for all transports.
    parserAndValidationCache: false,
    // Its page is served before the request is authenticated: see `graphiqlPage`.
    graphiql: false,
  });
}

function useEngine(engine: GraphqlEngine): Plugin<YogaServerContext> {
  return {
    onParse({ setParseFn }) {
      setParseFn((text: string) => {
        const document = engine.document(text);
        if (isErrors(document)) throw new AggregateError(document);
        return document;
      });
    },
    onValidate({ setValidationFn }) {
      // What `document` answers is valid already.
      setValidationFn(() => []);
    },
    onExecute({ setExecuteFn }) {
      setExecuteFn(async (args: ExecutionArgs) => withText(await engine.execute(args)));
    },
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(async (args: ExecutionArgs) => {
        const results = await engine.subscribe(args);
        return Symbol.asyncIterator in results ? oneByOne(results) : withText(results);
      });
    },
  };
}

/** Has yoga write the result with the payloads as they are. */
function withText(result: ExecutionResult): ExecutionResult {
  return Object.assign(result, { stringify: stringifyLine });
}

/** On one line, for SSE: a line break in JSON is white space between tokens, and a blank does as well. */
function stringifyLine(result: unknown): string {
  const text = stringifyResult(result);
  return /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, ' ') : text;
}

/** Yoga sends one result at a time, when the client has taken the one before. */
function oneByOne(batches: ResultBatches): AsyncIterableIterator<ExecutionResult> {
  let batch: readonly (() => ExecutionResult)[] = [];
  let taken = 0;
  return {
    async next() {
      while (true) {
        const execute = batch[taken];
        if (execute !== undefined) {
          taken += 1;
          return { done: false, value: withText(execute()) };
        }
        const step = await batches.next();
        if (step.done === true) return { done: true, value: undefined };
        batch = step.value;
        taken = 0;
      }
    },
    async return() {
      await batches.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
