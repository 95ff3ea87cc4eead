import { readFileSync } from 'node:fs';

export const recipesDirectory = new URL('../examples/recipes/', import.meta.url);

/** The programs of `examples/recipes`, each for one client. docs/clients.md shows them, and a test runs them. */
export const recipes = [
  'graphql-ws.ts',
  'apollo-client.ts',
  'urql.ts',
  'relay.ts',
  'graphql-sse.ts',
  'event-source.ts',
  'web-socket.ts',
  'curl.sh',
  'wscat.sh',
] as const;

/** What several of them use. */
export const sharedByRecipes = ['app.ts', 'socket.ts', 'cursor-of.ts'] as const;

/** A file of theirs as Markdown. */
export function codeBlock(file: string): string {
  const language = file.endsWith('.sh') ? 'sh' : 'ts';
  return `\`\`\`${language}\n${readFileSync(new URL(file, recipesDirectory), 'utf8')}\`\`\``;
}
