import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLError, GraphQLResolveInfo, GraphQLSchema } from 'graphql';
import { isObject } from '../../core/json.ts';
import type { Message } from '../../hub/message.ts';
import { Subscription } from '../../hub/subscription.ts';
import { namingValues } from './named-values.ts';
import { OneByOne } from './one-by-one.ts';
import { resolvers, typeDefs } from './schema.ts';

type Mask = (error: unknown) => GraphQLError;
type Resolver = (
  root: unknown,
  args: unknown,
  context: unknown,
  info: GraphQLResolveInfo,
) => unknown;

/**
 * The schema for a server that is not ours: its resolvers look for their context under `millrace`, throw errors that
 * are masked already, and their subscriptions yield one message at a time.
 */
export function createSchemaForOthers(mask: Mask): GraphQLSchema {
  const adapted = Object.entries(resolvers).map(([type, fields]) => [
    type,
    adaptedType(fields, mask),
  ]);
  const own = Object.fromEntries(adapted);
  return namingValues(makeExecutableSchema({ typeDefs: typeDefs(), resolvers: own }));
}

/** Scalars stay as they are. */
function adaptedType(fields: unknown, mask: Mask): unknown {
  if (!isObject(fields) || 'serialize' in fields) return fields;
  const adapted = Object.entries(fields).map(([name, field]) => [name, adaptedField(field, mask)]);
  return Object.fromEntries(adapted);
}

function adaptedField(field: unknown, mask: Mask): unknown {
  if (isResolver(field)) return adaptedResolver(field, mask);
  if (!isObject(field)) return field;
  return adaptedType(field, mask);
}

function adaptedResolver(resolver: Resolver, mask: Mask): Resolver {
  return (root, args, context, info) => {
    try {
      const answer = resolver(
        root,
        args,
        isObject(context) ? context['millrace'] : undefined,
        info,
      );
      return answer instanceof Promise ? settled(answer, mask) : answer;
    } catch (error) {
      throw mask(error);
    }
  };
}

async function settled(answer: Promise<unknown>, mask: Mask): Promise<unknown> {
  try {
    const value = await answer;
    return isSubscription(value) ? new OneByOne(value, mask) : value;
  } catch (error) {
    throw mask(error);
  }
}

function isSubscription(value: unknown): value is Subscription<Message> {
  return value instanceof Subscription;
}

function isResolver(field: unknown): field is Resolver {
  return typeof field === 'function';
}
