import { argumentsOf, type Selection } from './selection.ts';

export interface Snippet {
  readonly title: string;
  readonly text: string;
}

/** How to listen to the same from elsewhere. @param origin of this server, such as `https://millrace.example` */
export function snippets(selection: Selection, projectId: string, origin: string): Snippet[] {
  return [
    { title: 'GraphQL', text: graphql(selection) },
    { title: 'Client', text: client(selection, origin) },
    { title: 'curl', text: curl(selection, projectId, origin) },
  ];
}

function graphql(selection: Selection): string {
  const { kind } = selection;
  const list = Object.entries(argumentsOf(selection)).map(([name, value]) =>
    name === 'order' ? `order: ${String(value)}` : `${name}: ${literal(value)}`,
  );
  const fields =
    kind === 'events' ? 'id timestamp late payload cursor' : 'event error source recordedAt cursor';
  const call = `${kind}(${[`topic: ${JSON.stringify(selection.topic)}`, ...list].join(', ')})`;
  return `subscription {\n  ${call} {\n    ${fields}\n  }\n}`;
}

function client(selection: Selection, origin: string): string {
  const { kind, topic } = selection;
  const options = JSON.stringify(argumentsOf(selection), null, 2).replace(
    /^ {2}"(\w+)":/gm,
    '  $1:',
  );
  const given = options === '{}' ? '' : `, ${options}`;
  return `import { createClient } from 'millrace/client';

const client = createClient({ url: '${origin}', token: fetchToken });
for await (const message of client.${kind}(${JSON.stringify(topic)}${given})) {
  console.log(message);
}`;
}

function curl(selection: Selection, projectId: string, origin: string): string {
  const { kind, topic } = selection;
  const query = Object.entries(argumentsOf(selection)).map(
    ([name, value]) =>
      `${name}=${encodeURIComponent(typeof value === 'object' ? JSON.stringify(value) : String(value))}`,
  );
  const path = `/feeds/${encodeURIComponent(topic)}${kind === 'events' ? '' : '/dead-letters'}`;
  const url = `${origin}${path}${query.length === 0 ? '' : `?${query.join('&')}`}`;
  return `curl -N -u '${projectId}:KEY' \\\n  -H 'accept: text/event-stream' \\\n  '${url.replaceAll("'", '%27')}'`;
}

/** A literal of GraphQL: names without quotes, and enums for what is one. */
function literal(value: unknown, name = ''): string {
  if (name === 'operator' || name === 'mode') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => literal(item)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([key, field]) => `${key}: ${literal(field, key)}`);
    return `{ ${fields.join(', ')} }`;
  }
  return JSON.stringify(value);
}
