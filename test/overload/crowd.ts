import { setTimeout as sleep } from 'node:timers/promises';
import type { Login } from '../support/graphql-client.ts';
import { until } from '../support/until.ts';
import { Member } from './member.ts';

export interface CrowdOptions {
  readonly url: string;
  readonly login: Login;
  /** As its subscribers call it; of one partition, whose events are numbered without a hole. */
  readonly topic: string;
  readonly clients: number;
  /** How many shake hands at a time, where they do not all come at once. @default 200 */
  readonly handshakesAtOnce?: number;
  /** Told of each event that comes: how long ago it was sent, in milliseconds. */
  readonly onEvent?: (agoMs: number) => void;
}

/** Many clients of one topic, each on a WebSocket of its own. */
export class Crowd {
  readonly members: readonly Member[];
  readonly #atOnce: number;

  constructor(options: CrowdOptions) {
    this.#atOnce = options.handshakesAtOnce ?? 200;
    this.members = Array.from({ length: options.clients }, () => new Member(options));
  }

  get live(): readonly Member[] {
    return this.members.filter(({ state }) => state === 'live');
  }

  /** In which words, or with which fault of the connection, how many were turned away. */
  get refusals(): Readonly<Record<string, number>> {
    const refusals: Record<string, number> = {};
    for (const { refusal } of this.members) {
      if (refusal !== undefined) refusals[refusal] = (refusals[refusal] ?? 0) + 1;
    }
    return refusals;
  }

  /** Of what came, how much was not the next after what came before. */
  get anomalies(): number {
    return this.members.reduce((sum, { anomalies }) => sum + anomalies, 0);
  }

  /** Some after the other, while events flow. Resolves when each is live or has been turned away. */
  async connect(members: readonly Member[] = this.members): Promise<void> {
    for (let first = 0; first < members.length; first += this.#atOnce) {
      const some = members.slice(first, first + this.#atOnce);
      for (const member of some) member.connect();
      await until('clients to be let in or not', () =>
        some.every(({ state }) => state === 'live' || state === 'away'),
      );
    }
  }

  /** All of them, whenever they lose their connection, until `ended` is given. */
  async keepComingBack(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      for (const member of this.members) if (member.state === 'away') member.connect();
      await sleep(500);
    }
  }

  /** Resolves when all that are live have the event. */
  async untilLiveHave(number: number, withinMs = 60_000): Promise<void> {
    await until(
      `event ${number} with all who are live`,
      () => this.live.every(({ last }) => last >= number),
      withinMs,
    );
  }

  leave(): void {
    for (const member of this.members) member.leave();
  }
}
