import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import { acceptWithinMs } from './feed-start.ts';
import type { Message } from './message.ts';
import { PerProject } from './per-project.ts';
import type { SubscriptionKind } from './requests.ts';
import { Subscription, type SubscriptionOptions } from './subscription.ts';

export interface OpenSubscriptionsOptions {
  readonly clock: Clock;
  readonly maxQueuedBytes: number;
  /** Subscriptions that one project may have at a time. @default no limit */
  readonly maxSubscriptionsPerProject?: number;
  /** Conditions of their filters that may have to be evaluated for one event. @default no limit */
  readonly maxConditionsPerProject?: number;
}

/** A subscription, for whoever counts. */
export type OpenSubscription = Pick<Subscription<Message>, 'transport' | 'queuedBytes'>;

/** What an open subscription is to, and whose it is. */
export interface SubscriptionUse {
  readonly kind: SubscriptionKind;
  readonly topic: string;
  readonly principal: Principal;
}

/** How a subscription is served that is to be accepted. */
export interface Served<Item extends Message>
  extends Pick<SubscriptionUse, 'kind' | 'topic'>,
    Pick<SubscriptionOptions, 'onBehind' | 'cursorAt'> {
  /** How many conditions are evaluated for each event. @default none */
  readonly evaluated?: number;
  /** Resolves when reading has begun; rejects with the `MillraceError` that prevents it. */
  readonly started: Promise<void>;
  /** Adds the subscription to a stream. To be called once; not after `end`. */
  begin(subscription: Subscription<Item>): void;
  /** Resolves when it is served; undefined: it begins with what comes from now on, and is already. */
  resume(): Promise<void> | undefined;
  /** It is over: gives up all that it had, also if it has not begun. To be called once. */
  end(): void;
}

interface List {
  readonly maxQueuedBytes: number;
  readonly open: Map<OpenSubscription & Pick<Subscription<Message>, 'cut'>, SubscriptionUse>;
  readonly places: PerProject;
  readonly conditions: PerProject;
}

/** A subscription's place among those that are open. There may be very many: no functions of its own. */
class Place<Item extends Message> implements SubscriptionOptions, SubscriptionUse {
  readonly subscription: Subscription<Item>;
  readonly principal: Principal;
  readonly #list: List;
  readonly #served: Served<Item>;
  #isEntered = false;
  #giveBack: (() => void) | undefined;
  #isOver = false;

  constructor(list: List, principal: Principal, served: Served<Item>) {
    this.#list = list;
    this.principal = principal;
    this.#served = served;
    this.subscription = new Subscription<Item>(this);
  }

  get maxQueuedBytes(): number {
    return this.#list.maxQueuedBytes;
  }

  get kind(): SubscriptionKind {
    return this.#served.kind;
  }

  get topic(): string {
    return this.#served.topic;
  }

  /** Whoever ended it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * From here on it is counted, and ended with its key. What is thrown leaves it to be ended.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`: the project may have no more; or why its key is good no longer
   */
  enter(): void {
    const { principal, subscription } = this;
    const { places, conditions } = this.#list;
    conditions.assertPlace(principal.projectId, this.#evaluated);
    places.occupy(principal.projectId);
    conditions.occupy(principal.projectId, this.#evaluated);
    this.#isEntered = true;
    this.#list.open.set(subscription, this);
    this.#giveBack = principal.retain();
    principal.revoked.watch(subscription);
  }

  onEnd(): void {
    this.#isOver = true;
    this.#served.end();
    const { principal, subscription } = this;
    if (this.#giveBack !== undefined) {
      principal.revoked.unwatch(subscription);
      this.#giveBack();
    }
    if (!this.#isEntered) return;
    this.#list.open.delete(subscription);
    this.#list.places.giveBack(principal.projectId);
    this.#list.conditions.giveBack(principal.projectId, this.#evaluated);
  }

  get #evaluated(): number {
    return this.#served.evaluated ?? 0;
  }

  onBehind(position: StreamPosition): void {
    this.#served.onBehind(position);
  }

  cursorAt(position?: StreamPosition): string | undefined {
    return this.#served.cursorAt?.(position);
  }
}

/** The subscriptions that have been accepted and are not over. */
export class OpenSubscriptions {
  readonly #options: OpenSubscriptionsOptions;
  readonly #list: List;

  constructor(options: OpenSubscriptionsOptions) {
    this.#options = options;
    this.#list = {
      maxQueuedBytes: options.maxQueuedBytes,
      open: new Map(),
      places: new PerProject({
        max: options.maxSubscriptionsPerProject ?? Number.POSITIVE_INFINITY,
        what: 'subscriptions',
        limit: 'limits.subscriptionsPerProject',
      }),
      conditions: new PerProject({
        max: options.maxConditionsPerProject ?? Number.POSITIVE_INFINITY,
        what: 'conditions in its filters, beside one of EQ or IN in each',
        limit: 'limits.conditionsPerProject',
      }),
    };
  }

  /** And what each is to. */
  get all(): ReadonlyMap<OpenSubscription, SubscriptionUse> {
    return this.#list.open;
  }

  /** Ends those to topics that their principals may not read any more. */
  endUnreadable(): void {
    for (const [subscription, { principal, topic }] of this.#list.open) {
      try {
        principal.mayRead(topic);
      } catch (error) {
        subscription.cut(asError(error));
      }
    }
  }

  /** How many each project has that has any. */
  get byProject(): ReadonlyMap<string, number> {
    return this.#list.places.counts;
  }

  /** @throws {MillraceError} `LIMIT_EXCEEDED`: the project may have no more */
  assertPlace(projectId: string): void {
    this.#list.places.assertPlace(projectId);
  }

  /**
   * Resolves once the subscription is accepted: when reading has begun, or after a moment when the cluster cannot be
   * reached; it then waits. Rejects with a `MillraceError`.
   */
  async accept<Item extends Message>(
    principal: Principal,
    served: Served<Item>,
  ): Promise<Subscription<Item>> {
    const place = new Place<Item>(this.#list, principal, served);
    const { subscription } = place;
    try {
      place.enter();
      if (place.isOver) return subscription;
      served.begin(subscription);
      const resumed = served.resume();
      // Whoever waits no longer is told by the subscription.
      resumed?.catch((error: unknown) => subscription.cut(asError(error)));
      await this.#atMost(resumed ?? served.started);
    } catch (error) {
      await subscription.return();
      throw error;
    }
    return subscription;
  }

  /** Waits; no longer than a moment. */
  async #atMost(done: Promise<unknown>): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = this.#options.clock.schedule(acceptWithinMs, patience.resolve);
    try {
      await Promise.race([done, patience.promise]);
    } finally {
      timer.cancel();
    }
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
