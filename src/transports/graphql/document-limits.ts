import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** Bounds of what one document may ask for. The names are those of the configuration. */
export interface DocumentLimits {
  readonly queryCharacters: number;
  readonly queryTokens: number;
  readonly queryDepth: number;
  readonly queryAliases: number;
  readonly queryDirectives: number;
}

interface Extent {
  readonly depth: number;
  readonly aliases: number;
  readonly directives: number;
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

/** Levels that introspection may have: tools ask for types of types of types. */
const introspectionDepth = 15;

/** The refusal of a document that is over a limit, fragments counted each time they are spread. */
export function overLimit(
  document: DocumentNode,
  limits: DocumentLimits,
): GraphQLError | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  }
  const measure = new Measure(fragments);
  let [aliases, directives] = [0, 0];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const extent = measure.selectionSet(definition.selectionSet);
    if (extent.depth > limits.queryDepth) return refusal('queryDepth', limits, 'levels of fields');
    aliases += extent.aliases;
    directives += extent.directives + (definition.directives?.length ?? 0);
  }
  if (aliases > limits.queryAliases) return refusal('queryAliases', limits, 'aliases');
  if (directives > limits.queryDirectives) return refusal('queryDirectives', limits, 'directives');
  return undefined;
}

/** Measures selections. Each fragment is measured once, however often and deep it is spread. */
class Measure {
  readonly #fragments: Fragments;
  readonly #measured = new Map<string, Extent>();

  constructor(fragments: Fragments) {
    this.#fragments = fragments;
  }

  selectionSet({ selections }: SelectionSetNode): Extent {
    let [depth, aliases, directives] = [0, 0, 0];
    for (const selection of selections) {
      const extent = this.#selection(selection);
      depth = Math.max(depth, extent.depth);
      aliases += extent.aliases;
      directives += extent.directives + (selection.directives?.length ?? 0);
    }
    return { depth, aliases, directives };
  }

  #selection(selection: SelectionNode): Extent {
    switch (selection.kind) {
      case Kind.FIELD: {
        const below = selection.selectionSet ? this.selectionSet(selection.selectionSet) : nothing;
        const introspects =
          selection.name.value.startsWith('__') && below.depth < introspectionDepth;
        return {
          depth: introspects ? 1 : below.depth + 1,
          aliases: below.aliases + (selection.alias ? 1 : 0),
          directives: below.directives,
        };
      }
      case Kind.INLINE_FRAGMENT:
        return this.selectionSet(selection.selectionSet);
      case Kind.FRAGMENT_SPREAD:
        return this.#fragment(selection.name.value);
    }
  }

  #fragment(name: string): Extent {
    const measured = this.#measured.get(name);
    if (measured !== undefined) return measured;
    // Ends cycles and unknown fragments, which validation reports.
    this.#measured.set(name, nothing);
    const fragment = this.#fragments.get(name);
    const extent = fragment ? this.selectionSet(fragment.selectionSet) : nothing;
    this.#measured.set(name, extent);
    return extent;
  }
}

const nothing: Extent = { depth: 0, aliases: 0, directives: 0 };

export function refusal(
  limit: keyof DocumentLimits,
  limits: DocumentLimits,
  what: string,
): GraphQLError {
  return new GraphQLError(`the document has more than ${limits[limit]} ${what} (limits.${limit})`, {
    extensions: { code: 'LIMIT_EXCEEDED', limit: `limits.${limit}` },
  });
}
