import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
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
}

/** A subscription, for whoever counts. */
export type OpenSubscription = Pick<Subscription<Message>, 'transport' | 'queuedBytes'>;

/** What an open subscription is to, and whose it is. */
export interface SubscriptionUse {
  readonly kind: SubscriptionKind;
  readonly topic: string;
  readonly principal: Principal;
}

/** The subscriptions that have been accepted and are not over. */
export class OpenSubscriptions {
  readonly #options: OpenSubscriptionsOptions;
  readonly #open = new Map<
    OpenSubscription & Pick<Subscription<Message>, 'cut'>,
    SubscriptionUse
  >();
  readonly #places: PerProject;

  constructor(options: OpenSubscriptionsOptions) {
    this.#options = options;
    this.#places = new PerProject({
      max: options.maxSubscriptionsPerProject ?? Number.POSITIVE_INFINITY,
      what: 'subscriptions',
      limit: 'limits.subscriptionsPerProject',
    });
  }

  /** And what each is to. */
  get all(): ReadonlyMap<OpenSubscription, SubscriptionUse> {
    return this.#open;
  }

  /** Ends those to topics that their principals may not read any more. */
  endUnreadable(): void {
    for (const [subscription, { principal, topic }] of this.#open) {
      try {
        principal.mayRead(topic);
      } catch (error) {
        subscription.cut(asError(error));
      }
    }
  }

  /** How many each project has that has any. */
  get byProject(): ReadonlyMap<string, number> {
    return this.#places.counts;
  }

  /** @throws {MillraceError} `LIMIT_EXCEEDED`: the project may have no more */
  assertPlace(projectId: string): void {
    this.#places.assertPlace(projectId);
  }

  /**
   * Resolves once the subscription is accepted: when reading has begun, or after a moment when the cluster cannot be
   * reached; it then waits. Rejects with a `MillraceError`.
   */
  async accept<Item extends Message>(
    principal: Principal,
    lease: { readonly started: Promise<void>; release(): void },
    {
      kind,
      topic,
      options,
      begin,
      resume,
    }: {
      readonly kind: SubscriptionKind;
      readonly topic: string;
      // Not the rest of these: the engine keeps such an object as a table, of several times its size.
      readonly options: Pick<SubscriptionOptions, 'onBehind' | 'cursorAt'>;
      /** Adds it to a stream; answers what takes it out again. */
      readonly begin: (subscription: Subscription<Item>) => () => void;
      /** Where it does not begin with what comes from now on. */
      readonly resume?: () => Promise<void>;
    },
  ): Promise<Subscription<Item>> {
    const { maxQueuedBytes } = this.#options;
    const { revoked } = principal;
    let undo = [() => lease.release()];
    const subscription = new Subscription<Item>({
      ...options,
      maxQueuedBytes,
      onEnd: () => {
        for (const step of undo.toReversed()) step();
      },
    });
    try {
      this.#places.occupy(principal.projectId);
      this.#open.set(subscription, { kind, topic, principal });
      undo = undo.concat(() => {
        this.#open.delete(subscription);
        this.#places.giveBack(principal.projectId);
      });
      const giveBack = principal.retain();
      undo = undo.concat(giveBack, () => revoked.unwatch(subscription));
      revoked.watch(subscription);
      // Not pushed: an array that has grown keeps room for many more, for as long as the subscription lives.
      undo = undo.concat(begin(subscription));
      const resumed = resume?.();
      // Whoever waits no longer is told by the subscription.
      resumed?.catch((error: unknown) => subscription.cut(asError(error)));
      await this.#atMost(resumed ?? lease.started);
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
