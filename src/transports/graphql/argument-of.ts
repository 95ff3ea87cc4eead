import { type ASTNode, BREAK, type DocumentNode, GraphQLError, Kind, visit } from 'graphql';

/**
 * The error with the argument that it is about in `extensions.argument`, if it is `BAD_USER_INPUT` about
 * one and does not name it yet: GraphQL itself only points at the place in the document.
 */
export function namingArgument(error: GraphQLError, document: DocumentNode): GraphQLError {
  const { extensions, nodes } = error;
  if (extensions['code'] !== 'BAD_USER_INPUT' || extensions['argument'] !== undefined) return error;
  const [place] = nodes ?? [];
  const argument = place && argumentOf(place, document);
  if (argument === undefined) return error;
  const { message, source, positions, path } = error;
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions: { ...extensions, argument },
  });
}

/** The first argument that the place lies in or, if the place is a variable's definition, that uses it. */
function argumentOf(place: ASTNode, document: DocumentNode): string | undefined {
  const variable = place.kind === Kind.VARIABLE_DEFINITION ? place.variable.name.value : undefined;
  let within: string | undefined;
  let found: string | undefined;
  visit(document, {
    Argument: {
      enter(node) {
        within = node.name.value;
        if (variable !== undefined || !contains(node, place)) return undefined;
        found = within;
        return BREAK;
      },
      leave() {
        within = undefined;
      },
    },
    Variable(node) {
      if (node.name.value !== variable || within === undefined) return undefined;
      found = within;
      return BREAK;
    },
  });
  return found;
}

function contains({ loc: outer }: ASTNode, { loc: inner }: ASTNode): boolean {
  if (outer === undefined || inner === undefined) return false;
  return outer.start <= inner.start && inner.end <= outer.end;
}
