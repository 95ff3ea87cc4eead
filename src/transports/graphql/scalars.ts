import {
  GraphQLError,
  GraphQLScalarType,
  Kind,
  print,
  type ValueNode,
  valueFromASTUntyped,
} from 'graphql';
import { isDateTime } from '../instant.ts';

/** Goes out as it is: `JsonText` for what must keep its digits. Comes in as parsed JSON. */
export const jsonScalar = new GraphQLScalarType({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

/** Goes out as text that is already RFC 3339; comes in as text, which is only checked. */
export const dateTimeScalar = new GraphQLScalarType<string, unknown>({
  name: 'DateTime',
  serialize: (value) => value,
  parseValue: (value) => checkDateTime(value),
  parseLiteral: (node) => checkDateTime(literalOf(node), node),
});

/** A decimal string both ways. */
export const bigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  serialize: (value) => String(value),
  parseValue: (value) => parseBigInt(value),
  parseLiteral: (node) => parseBigInt(literalOf(node), node),
});

/** Opaque text both ways; the hub judges it. */
export const cursorScalar = new GraphQLScalarType<string, unknown>({
  name: 'Cursor',
  serialize: (value) => value,
  parseValue: checkCursor,
  parseLiteral: (node) => checkCursor(literalOf(node)),
});

function checkCursor(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new GraphQLError('a cursor is a text: pass it exactly as it was received', {
    extensions: { code: 'CURSOR_INVALID' },
  });
}

/** @param node where it is written, if that is in the document */
function checkDateTime(value: unknown, node?: ValueNode): string {
  if (typeof value === 'string' && isDateTime(value)) return value;
  throw new GraphQLError(
    `${JSON.stringify(value)} is no instant; give RFC 3339 text such as "2026-11-23T17:00:00Z"`,
    { nodes: node ?? null, extensions: { code: 'BAD_USER_INPUT' } },
  );
}

function parseBigInt(value: unknown, node?: ValueNode): bigint {
  if (typeof value === 'string' && /^-?\d{1,100}$/.test(value)) return BigInt(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw new GraphQLError(
    `${JSON.stringify(value)} is no whole number; give it as a decimal string`,
    { nodes: node ?? null, extensions: { code: 'BAD_USER_INPUT' } },
  );
}

/** A string as it is; anything else as it is written, for the message that refuses it. */
function literalOf(node: ValueNode): string {
  return node.kind === Kind.STRING || node.kind === Kind.INT ? node.value : print(node);
}
