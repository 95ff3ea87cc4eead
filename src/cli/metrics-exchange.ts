import type { Clock } from '../core/clock.ts';
import { mergeMetrics } from '../observe/merge-metrics.ts';

/** What a supervisor tells its workers about metrics. */
export type SupervisorMessage =
  /** It wants to know those of this worker. */
  | { readonly kind: 'showMetrics'; readonly round: number }
  | { readonly kind: 'metricsOfAll'; readonly text: string };

/** What a worker tells its supervisor about metrics. */
export type MetricsMessage =
  /** Somebody has asked it, and wants to know those of all. */
  | { readonly kind: 'metricsWanted' }
  | { readonly kind: 'metrics'; readonly round: number; readonly text: string };

type Send<Message> = (message: Message) => void;

/** How long the supervisor waits for its workers; who takes longer is left out. In milliseconds. */
const gatherWithinMs = 2_000;
/** How long a worker waits for its supervisor; it then shows its own alone. */
const answerWithinMs = 4_000;

interface Round {
  readonly number: number;
  readonly texts: Map<Member, string>;
  readonly gathered: PromiseWithResolvers<string>;
}

/** A worker in the supervisor's books. */
export interface Member {
  readonly send: Send<SupervisorMessage>;
}

/** The supervisor's part: whichever worker is asked for metrics shows those of all. */
export class MetricsExchange {
  readonly #clock: Clock;
  readonly #members = new Set<Member>();
  /** However many ask, one at a time. */
  #round: Round | undefined;
  #rounds = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(member: Member): void {
    this.#members.add(member);
  }

  leave(member: Member): void {
    this.#members.delete(member);
    this.#endIfComplete();
  }

  receive(member: Member, message: MetricsMessage): void {
    if (message.kind === 'metricsWanted') {
      void this.#gather().then((text) => member.send({ kind: 'metricsOfAll', text }));
      return;
    }
    if (message.round !== this.#round?.number) return;
    this.#round.texts.set(member, message.text);
    this.#endIfComplete();
  }

  #gather(): Promise<string> {
    if (this.#round !== undefined) return this.#round.gathered.promise;
    this.#rounds += 1;
    const round = {
      number: this.#rounds,
      texts: new Map<Member, string>(),
      gathered: Promise.withResolvers<string>(),
    };
    this.#round = round;
    const timer = this.#clock.schedule(gatherWithinMs, () => this.#end(round));
    for (const { send } of this.#members) send({ kind: 'showMetrics', round: round.number });
    return round.gathered.promise.finally(() => timer.cancel());
  }

  #endIfComplete(): void {
    const round = this.#round;
    if (round === undefined) return;
    if ([...this.#members].every((member) => round.texts.has(member))) this.#end(round);
  }

  #end(round: Round): void {
    if (this.#round === round) this.#round = undefined;
    round.gathered.resolve(mergeMetrics([...round.texts.values()]));
  }
}

/** A worker's part. */
export class MetricsOfAll {
  readonly #clock: Clock;
  readonly #send: Send<MetricsMessage>;
  #own: (() => Promise<string>) | undefined;
  #waiting: PromiseWithResolvers<string> | undefined;

  constructor(clock: Clock, send: Send<MetricsMessage>) {
    this.#clock = clock;
    this.#send = send;
  }

  /** @param own this worker's metrics */
  begin(own: () => Promise<string>): void {
    this.#own = own;
  }

  /** Those of all workers; of this one alone if the supervisor does not answer. */
  async text(): Promise<string> {
    if (this.#waiting !== undefined) return this.#waiting.promise;
    const waiting = Promise.withResolvers<string>();
    this.#waiting = waiting;
    const timer = this.#clock.schedule(answerWithinMs, () => {
      waiting.resolve(this.#own?.() ?? '');
    });
    this.#send({ kind: 'metricsWanted' });
    try {
      return await waiting.promise;
    } finally {
      timer.cancel();
      this.#waiting = undefined;
    }
  }

  async receive(message: SupervisorMessage): Promise<void> {
    if (message.kind === 'metricsOfAll') {
      this.#waiting?.resolve(message.text);
      return;
    }
    const { round } = message;
    const text = (await this.#own?.()) ?? '';
    this.#send({ kind: 'metrics', round, text });
  }
}
