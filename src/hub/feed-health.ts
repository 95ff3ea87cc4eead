import type { KafkaError, ReaderStatus } from '../kafka/port.ts';
import type { Logger } from '../observe/logger.ts';
import type { FeedState } from './feed-counts.ts';

export interface FeedRefusal {
  readonly kafkaTopic: string;
  readonly code: string;
  readonly reason: string;
}

export type FeedLogger = Pick<Logger, 'info' | 'warn'>;

export interface FeedHealthOptions {
  readonly kafkaTopic: string;
  /** Told of each change of state that an operator would want to know of. */
  readonly logger: FeedLogger;
  /** Told why a feed could not begin, where nothing is wrong with the server. */
  readonly logRefusal: (refusal: FeedRefusal) => void;
}

/** Whether a feed reads, and what the log says of it. */
export class FeedHealth {
  readonly #options: FeedHealthOptions;
  #status: ReaderStatus = { state: 'starting' };

  constructor(options: FeedHealthOptions) {
    this.#options = options;
  }

  get state(): FeedState {
    switch (this.#status.state) {
      case 'starting':
        return 'STARTING';
      case 'running':
        return 'RUNNING';
      case 'degraded':
        return 'DEGRADED';
      case 'failed':
        return 'FAILED';
    }
  }

  become(status: Exclude<ReaderStatus, { state: 'failed' }>): void {
    const before = this.#status;
    this.#status = status;
    const { kafkaTopic, logger } = this.#options;
    if (status.state === 'degraded') {
      const { code, message } = status.error;
      if (before.state === 'degraded' && before.error.code === code) return;
      logger.warn({ kafkaTopic, code, reason: message }, 'feed degraded: it keeps trying');
    } else if (before.state === 'degraded') {
      logger.info({ kafkaTopic }, `feed ${status.state} again`);
    }
  }

  /** It has come to its end by itself; what is asked for is there to be said, so that nothing is logged. */
  refused(reason: KafkaError): void {
    this.#status = { state: 'failed', error: reason };
  }

  /** As `refused`, for a reason that an operator would want to know. @param began it had found where to read */
  failed(code: string, reason: KafkaError, began: boolean): void {
    this.refused(reason);
    const { kafkaTopic, logger, logRefusal } = this.#options;
    const fields = { kafkaTopic, code, reason: reason.message };
    // Anybody may ask for a topic that is not there: nothing is wrong with the server then.
    const isRefusal = code === 'TOPIC_NOT_FOUND' || code === 'NOT_AUTHORIZED';
    if (isRefusal && !began) logRefusal(fields);
    else logger.warn(fields, 'feed failed: its subscriptions end');
  }
}
