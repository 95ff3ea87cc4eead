import { readdirSync, readFileSync } from 'node:fs';
import { makeExecutableSchema } from '@graphql-tools/schema';
import type { GraphQLSchema } from 'graphql';
import type { Resolvers } from '../../generated/schema.ts';
import { namingValues } from './named-values.ts';
import { deadLetterResolvers } from './resolvers/dead-letter.ts';
import { eventBatchResolvers } from './resolvers/event-batch.ts';
import { eventResolvers } from './resolvers/event.ts';
import { projectResolvers } from './resolvers/project.ts';
import { queryResolvers } from './resolvers/query.ts';
import { subscriptionResolvers } from './resolvers/subscription.ts';
import { topicResolvers } from './resolvers/topic.ts';
import { bigIntScalar, cursorScalar, dateTimeScalar, jsonScalar } from './scalars.ts';

const schemaFolder = new URL('../../../schema/', import.meta.url);

const ofTypes: Omit<Resolvers, 'Subscription'> = {
  JSON: jsonScalar,
  DateTime: dateTimeScalar,
  BigInt: bigIntScalar,
  Cursor: cursorScalar,
  Query: queryResolvers,
  Event: eventResolvers,
  EventBatch: eventBatchResolvers,
  DeadLetter: deadLetterResolvers,
  Topic: topicResolvers,
  Project: projectResolvers,
};

/** All of them. */
export const resolvers = { ...ofTypes, Subscription: subscriptionResolvers };

/** What stands in `schema/*.graphql`. */
export function typeDefs(): string[] {
  return readdirSync(schemaFolder)
    .filter((name) => name.endsWith('.graphql'))
    .toSorted()
    .map((name) => readFileSync(new URL(name, schemaFolder), 'utf8'));
}

/** The schema of `schema/*.graphql` with its resolvers. */
export function createSchema(): GraphQLSchema {
  return namingValues(makeExecutableSchema({ typeDefs: typeDefs(), resolvers }));
}
