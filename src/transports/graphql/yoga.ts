import type { IncomingMessage, ServerResponse } from 'node:http';
import { createYoga, type Plugin } from 'graphql-yoga';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import { MillraceError } from '../../core/errors.ts';
import type { EventStreamOptions } from '../event-stream.ts';
import { bodyTooLong, saysJson } from '../request-body.ts';
import type { Answers } from '../allowance/answers.ts';
import { respondError } from '../respond.ts';
import type { UntakenAnswers } from '../untaken-answers.ts';
import { answerTo } from './answer.ts';
import type { GraphqlContext } from './context.ts';
import { type GraphqlEngine, isErrors, isSubscribed, type Subscribed } from './engine.ts';
import { deliverAsEventStream } from './event-stream-delivery.ts';
import { withStatus } from './http-status.ts';
import { written } from './exact-json.ts';
import { isOfSingleConnection, refuseSingleConnection } from './single-connection.ts';

/** What the HTTP server hands over with an authenticated request. */
export type YogaServerContext = Pick<GraphqlContext, keyof GraphqlContext>;

export interface GraphqlOverHttpOptions extends EventStreamOptions {
  /** Largest body of a request. */
  readonly maxBodyBytes: number;
  /** What each project's queries may take. */
  readonly answers: Answers;
  /** Where answers are noted that are on their way. */
  readonly untaken: UntakenAnswers;
}

/** Answers one authenticated request. Rejects with a `MillraceError` where it is over a limit. */
export type GraphqlOverHttp = (
  request: IncomingMessage,
  response: ServerResponse,
  context: YogaServerContext,
) => Promise<void>;

/**
 * GraphQL over HTTP and over SSE (distinct connections): yoga speaks the protocols, the engine that
 * WebSocket uses as well does the work. Events of subscriptions do not pass through yoga: once it has
 * accepted one, they come from the hub in frames that all subscribers of a selection share.
 */
export function createGraphqlOverHttp(
  engine: GraphqlEngine,
  { maxBodyBytes, answers, untaken, ...eventStreams }: GraphqlOverHttpOptions,
): GraphqlOverHttp {
  const { allowances } = eventStreams;
  const bodiless = new WeakMap<Response, Subscribed>();
  const mask = (error: unknown): GraphQLError =>
    engine.mask(isTooLong(error) ? bodyTooLong(maxBodyBytes) : error);
  const yoga = createYoga<YogaServerContext>({
    schema: engine.schema,
    graphqlEndpoint: '/graphql',
    plugins: [useEngine({ engine, answers }, bodiless)],
    maskedErrors: { errorMessage: 'INTERNAL', maskError: mask },
    logging: false,
    landingPage: false,
    multipart: false,
    // Origins are checked before yoga sees the request, and allowed ones get their headers there.
    cors: false,
    maxRequestBodySize: maxBodyBytes,
    // The engine remembers documents for all transports.
    parserAndValidationCache: false,
    // Its page is served before the request is authenticated: see `graphiqlPage`.
    graphiql: false,
  });
  return async (request, response, context) => {
    if (Number(request.headers['content-length']) > maxBodyBytes) {
      // The rest is not waited for.
      response.setHeader('connection', 'close');
      throw bodyTooLong(maxBodyBytes);
    }
    // Yoga would take forms, too.
    if (request.method === 'POST' && !saysJson(request)) {
      const message = 'the body must have the type application/json';
      respondError(response, new MillraceError('BAD_USER_INPUT', message), 415);
      return;
    }
    if (isOfSingleConnection(request)) return refuseSingleConnection(request, response);
    assertJsonParameters(request);
    // It would become part of a URL, whatever stands in it. What it was needed for has been done.
    request.headers.host = 'localhost';
    const { projectId } = context.principal;
    allowances.assertAffordable(projectId);
    const answer = await yoga.handleNodeRequestAndResponse(request, response, context);
    const subscribed = bodiless.get(answer);
    if (subscribed === undefined) {
      const body = Buffer.from(await answer.arrayBuffer());
      answers.assertRoom(projectId, body.length);
      send(answer, body, response);
      allowances.spend(projectId, body.length);
      if (response.destroyed) return;
      response.once('close', answers.send(projectId, body.length));
      untaken.add(response);
      return;
    }
    const delivery = { ...eventStreams, context: () => context, mask: engine.mask };
    deliverAsEventStream(response, subscribed, delivery);
  };
}

/**
 * @param bodiless gets yoga's answers to accepted subscriptions: they have no body, as that is written by
 *   `EventStream`
 */
function useEngine(
  { engine, answers }: { readonly engine: GraphqlEngine; readonly answers: Answers },
  bodiless: WeakMap<Response, Subscribed>,
): Plugin<YogaServerContext> {
  const accepted = new WeakMap<Request, Subscribed>();
  return {
    onParams({ params }) {
      const operationName: unknown = params.operationName ?? undefined;
      if (operationName !== undefined && typeof operationName !== 'string')
        throw badOperationName();
    },
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
    onExecute({ args: { contextValue }, setExecuteFn }) {
      const { projectId } = contextValue.principal;
      setExecuteFn(async (args: ExecutionArgs) =>
        written(await answerTo(args, projectId, { engine, answers })),
      );
    },
    onSubscribe({ args: { contextValue }, setSubscribeFn }) {
      setSubscribeFn(async (args: ExecutionArgs) => {
        const outcome = await engine.subscribe(args);
        if (!isSubscribed(outcome)) return written(outcome);
        accepted.set(contextValue.request, outcome);
        return silent();
      });
    },
    onResultProcess(hook) {
      const subscribed = accepted.get(hook.request);
      if (subscribed === undefined) {
        if ('errors' in hook.result) hook.setResult(withStatus(hook.result));
        return;
      }
      // The client takes no events: yoga says so.
      if (hook.resultProcessor === undefined) return subscribed.subscription.leave();
      hook.setResultProcessor((_result, { Response }) => {
        const answer = new Response(null);
        bodiless.set(answer, subscribed);
        return answer;
      }, 'text/event-stream');
    },
  };
}

/**
 * Yoga takes what is no JSON in an address for a fault of the server.
 *
 * @throws {MillraceError} `BAD_USER_INPUT`, naming the argument
 */
function assertJsonParameters({ url = '' }: IncomingMessage): void {
  const questionMark = url.indexOf('?');
  if (questionMark < 0) return;
  const parameters = new URLSearchParams(url.slice(questionMark));
  for (const argument of ['variables', 'extensions']) {
    try {
      JSON.parse(parameters.get(argument) || '{}');
    } catch (cause) {
      const message = `${argument} must be JSON, URL-encoded`;
      throw new MillraceError('BAD_USER_INPUT', message, { argument }, { cause });
    }
  }
}

/** A body whose length is not told before. */
function isTooLong(error: unknown): boolean {
  return error instanceof GraphQLError && error.extensions['code'] === 'REQUEST_ENTITY_TOO_LARGE';
}

/** In the place of results: yoga sees that it is iterable, and never iterates. */
function silent(): AsyncIterableIterator<never> {
  const done = { done: true, value: undefined } as const;
  return {
    next: () => Promise.resolve(done),
    return: () => Promise.resolve(done),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The one parameter whose type yoga does not look at. */
function badOperationName(): GraphQLError {
  return new GraphQLError('operationName must be a string', {
    extensions: { code: 'BAD_USER_INPUT', argument: 'operationName', http: { status: 400 } },
  });
}

function send({ status, headers }: Response, body: Buffer, response: ServerResponse): void {
  response.writeHead(status, Object.fromEntries(headers)).end(body);
}
