import { GraphQLEnumType, GraphQLError, type GraphQLSchema, isIntrospectionType } from 'graphql';

/**
 * Has the enums of a schema say which values they know when they are given another one. That is none of the
 * suggestions that may be switched off: these values are documented.
 *
 * @returns the schema itself
 */
export function namingValues(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type instanceof GraphQLEnumType && !isIntrospectionType(type)) nameValues(type);
  }
  return schema;
}

function nameValues(type: GraphQLEnumType): void {
  const { prototype } = GraphQLEnumType;
  const values = type.getValues().map(({ name }) => name);
  const named = <Value>(read: () => Value): Value => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const message = `${error.message} Known are ${values.join(', ')}.`;
      throw new GraphQLError(message, { nodes: error.nodes ?? null });
    }
  };
  Object.assign(type, {
    parseValue: (...given: Parameters<typeof prototype.parseValue>) =>
      named(() => prototype.parseValue.apply(type, given)),
    parseLiteral: (...given: Parameters<typeof prototype.parseLiteral>) =>
      named(() => prototype.parseLiteral.apply(type, given)),
  });
}
