import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** What of a document decides about the result of a message; the same for all its subscribers. */
interface Shape {
  readonly text: string;
  /** Names of the variables that it uses. */
  readonly variables: readonly string[];
}

/** By operation, as long as its document is remembered. */
const shapes = new WeakMap<OperationDefinitionNode, Shape>();

/**
 * A text that is equal for operations that select the same of a message: equal selections, whatever
 * else their documents say, with equal values of the variables that are used in them. The arguments
 * of the subscription's own field do not count: they decide which messages come, not what becomes of
 * one.
 */
export function selectionKey(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): string {
  let shape = shapes.get(operation);
  if (shape === undefined) {
    shape = shapeOf(document, operation);
    shapes.set(operation, shape);
  }
  if (shape.variables.length === 0) return shape.text;
  // One that is left out has its default; `null` is a value.
  const given = shape.variables.filter((name) => Object.hasOwn(variables, name));
  return shape.text + JSON.stringify(given.map((name) => [name, variables[name]]));
}

function shapeOf(document: DocumentNode, operation: OperationDefinitionNode): Shape {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
  const selected = withoutArguments(operation.selectionSet);
  const used = new Set<FragmentDefinitionNode>();
  const names = new Set<string>();
  const look = (node: SelectionSetNode | FragmentDefinitionNode): void => {
    visit(node, {
      Variable: ({ name }) => {
        names.add(name.value);
      },
      FragmentSpread: ({ name }) => {
        const fragment = fragments.get(name.value);
        if (fragment === undefined || used.has(fragment)) return;
        used.add(fragment);
        look(fragment);
      },
    });
  };
  look(selected);
  // Their types and defaults decide about the values.
  const definitions = (operation.variableDefinitions ?? []).filter(({ variable }) =>
    names.has(variable.name.value),
  );
  const parts = [selected, ...used, ...definitions];
  return { text: parts.map((part) => print(part)).join('\n'), variables: [...names] };
}

/** Of the fields at the top; those within fragments keep theirs, and are shared a little less. */
function withoutArguments(selectionSet: SelectionSetNode): SelectionSetNode {
  return {
    ...selectionSet,
    selections: selectionSet.selections.map((selection) =>
      selection.kind === Kind.FIELD ? withoutOwnArguments(selection) : selection,
    ),
  };
}

function withoutOwnArguments(field: FieldNode): FieldNode {
  return { ...field, arguments: [] };
}
