import { test } from 'node:test';
import { deliveries } from './transports/delivery.ts';
import { endings } from './transports/endings.ts';
import { graphqlSse, graphqlWs } from './transports/graphql.ts';
import { plainSse, plainWs, plainWsByHeader } from './transports/plain.ts';
import { refusalScenarios } from './transports/refusals.ts';
import type { OpenStage } from './transports/stage.ts';

export const transports = [graphqlWs, graphqlSse, plainWs, plainWsByHeader, plainSse] as const;

/** What every way to subscribe must do alike. */
export const scenarios = [...deliveries, ...refusalScenarios, ...endings] as const;

/** Every scenario over every transport. */
export function transportTests(open: OpenStage, only: typeof scenarios = scenarios): void {
  for (const transport of transports) {
    for (const { title, play } of only) {
      test(`${transport.name}: ${title}`, (t) => play(t, open, transport));
    }
  }
}
