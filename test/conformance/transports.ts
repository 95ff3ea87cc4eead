import { describe, test } from 'node:test';
import { conflations } from './transports/conflation.ts';
import { deliveries } from './transports/delivery.ts';
import { endings } from './transports/endings.ts';
import { graphqlSse, graphqlWs } from './transports/graphql.ts';
import { limitScenarios } from './transports/limits.ts';
import { metricScenarios } from './transports/metrics.ts';
import { plainSse, plainWs, plainWsByHeader } from './transports/plain.ts';
import { refusalScenarios } from './transports/refusals.ts';
import { sameOverAll } from './transports/sameness.ts';
import type { OpenStage, Scenario } from './transports/stage.ts';
import { tokenScenarios } from './transports/tokens.ts';

const transports = [graphqlWs, graphqlSse, plainWs, plainWsByHeader, plainSse] as const;

/** What every way to subscribe must do alike: every scenario over every transport. */
export function transportTests(open: OpenStage): void {
  playAll(open, [
    ...deliveries,
    ...conflations,
    ...refusalScenarios,
    ...tokenScenarios,
    ...metricScenarios,
    ...limitScenarios,
    ...endings,
  ]);
}

/** Those of it that depend on what brings the records. */
export function deliveryTests(open: OpenStage): void {
  playAll(open, [...deliveries, ...conflations]);
}

function playAll(open: OpenStage, scenarios: readonly Scenario[]): void {
  for (const transport of transports) {
    // Most of their time is waiting for the lateness.
    describe(transport.name, { concurrency: 4 }, () => {
      for (const { title, play } of scenarios) test(title, (t) => play(t, open, transport));
    });
  }
  test('all transports, at once, deliver the very same', (t) => sameOverAll(t, open, transports));
}
