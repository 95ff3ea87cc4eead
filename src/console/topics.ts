import { refusalIn, type Refused, type TokenSource } from './session.ts';

export type FeedState = 'IDLE' | 'STARTING' | 'RUNNING' | 'DEGRADED' | 'FAILED';

export interface FeedStatus {
  readonly state: FeedState;
  readonly subscribers: number;
  readonly received: string;
  readonly delivered: string;
  readonly duplicates: string;
  readonly late: string;
  readonly held: number;
  readonly lag: string;
}

export interface Topic {
  readonly name: string;
  readonly kafkaTopic: string;
  readonly partitions: readonly { readonly id: number }[];
  readonly feed: FeedStatus;
  readonly deadLetters: { readonly name: string } | null;
}

export interface Overview {
  readonly project: {
    readonly id: string;
    readonly key: { readonly name: string | null; readonly kind: string };
  };
  readonly topics: readonly Topic[];
}

const query = `query Console {
  project { id key { name kind } }
  topics {
    name
    kafkaTopic
    partitions { id }
    feed { state subscribers received delivered duplicates late held lag }
    deadLetters { name }
  }
}`;

/** @throws {Refusal} in the server's words */
export async function fetchOverview(tokens: TokenSource): Promise<Overview> {
  const token = await tokens.token();
  let response = await ask(token);
  if (response.status === 401) response = await ask(await tokens.token(token));
  const body: { data?: Overview | null } & Refused = await response.json();
  const { data, errors = [] } = body;
  if (data === null || data === undefined || errors.length > 0) throw refusalIn(body);
  return data;
}

function ask(token: string): Promise<Response> {
  return fetch('/graphql', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
    },
    body: JSON.stringify({ query }),
  });
}
