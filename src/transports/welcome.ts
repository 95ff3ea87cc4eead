import { isForBrowser } from './graphql/graphiql.ts';
import type { Route } from './http-server.ts';
import { respond, respondText } from './respond.ts';

export interface Welcome {
  /** Whether there is a console. */
  readonly console: boolean;
  readonly graphiql: boolean;
}

/** `GET /`: leads a browser to the console, and tells everybody else what is where. */
export function welcomeRoute({ console, graphiql }: Welcome): Route {
  const text = textOf([
    ...(console ? [['/console', 'what flows, in a browser'] as const] : []),
    ['/graphql', `queries and subscriptions${graphiql ? '; in a browser, GraphiQL' : ''}`],
    ['/feeds/{topic}', 'the events of a topic, over WebSocket or SSE'],
    ['/feeds/{topic}/dead-letters', 'what of it could not become an event'],
    ['/tokens', 'POST: a token for a browser'],
    ['/health/live, /health/ready', 'whether it runs, and whether it can serve'],
    ['/metrics', 'for Prometheus'],
  ]);
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const message = 'nothing is served here but an overview, by GET; GraphQL is at /graphql';
      response.setHeader('allow', 'GET, HEAD');
      return respond(response, 405, {
        errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }],
      });
    }
    response.setHeader('vary', 'origin, accept');
    if (!console || !isForBrowser(request)) {
      return respondText(response, 'text/plain; charset=utf-8', text);
    }
    response.writeHead(302, {
      location: '/console',
      'content-length': 0,
      'cache-control': 'no-store',
    });
    response.end();
  };
}

function textOf(paths: readonly (readonly [path: string, what: string])[]): string {
  const width = Math.max(...paths.map(([path]) => path.length));
  const lines = paths.map(([path, what]) => `  ${path.padEnd(width)}  ${what}`);
  return `Millrace: Kafka topics for browsers and apps.\n\n${lines.join('\n')}\n`;
}
