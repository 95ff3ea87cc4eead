import { systemClock } from '../../src/core/clock.ts';
import { OpenConnections } from '../../src/transports/open-connections.ts';
import { Allowances } from '../../src/transports/allowance/allowances.ts';
import { Answers } from '../../src/transports/allowance/answers.ts';
import type { Outgoing } from '../../src/transports/outgoing.ts';
import { Sent, type SentBy } from '../../src/transports/sent.ts';
import { TurnEnd } from '../../src/transports/turn-end.ts';

/** What nobody looks at. */
export function sentBy(): SentBy {
  return new Sent(systemClock).by['graphql-ws'];
}

/** Of queries that nobody bounds. */
export function anyAnswers(): Answers {
  const unlimited = Number.POSITIVE_INFINITY;
  return new Answers({ maxQueriesPerProject: unlimited, maxBytesPerProject: unlimited });
}

/** What connections have in common, for tests of something else. */
export function outgoing(own: Partial<Outgoing> = {}): Outgoing {
  return {
    turnEnd: new TurnEnd(),
    maxQueuedBytes: 2 ** 20,
    sent: new Sent(systemClock),
    connections: new OpenConnections({ clock: systemClock }),
    allowances: new Allowances({
      clock: systemClock,
      maxConnectionsPerProject: Number.POSITIVE_INFINITY,
      bytesPerSecondPerProject: Number.POSITIVE_INFINITY,
    }),
    onSlow: () => undefined,
    ...own,
  };
}
