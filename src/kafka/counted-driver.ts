import {
  type KafkaClient,
  type KafkaDriver,
  KafkaError,
  type KafkaErrorCode,
  type OffsetPoint,
  type PartitionOffsets,
  type ReaderOptions,
  type ReaderStatus,
  type TopicDescription,
  type TopicReader,
} from './port.ts';

/** The driver, with everything that fails on its way to the cluster told to `onError`. */
export function countedDriver(
  driver: KafkaDriver,
  onError: (code: KafkaErrorCode) => void,
): KafkaDriver {
  return {
    name: driver.name,
    connect: (sasl) => new CountedClient(driver.connect(sasl), onError),
  };
}

class CountedClient implements KafkaClient {
  readonly #client: KafkaClient;
  readonly #onError: (code: KafkaErrorCode) => void;

  constructor(client: KafkaClient, onError: (code: KafkaErrorCode) => void) {
    this.#client = client;
    this.#onError = onError;
  }

  login(): Promise<void> {
    return this.#counted(this.#client.login());
  }

  clusterId(): Promise<string> {
    return this.#counted(this.#client.clusterId());
  }

  listTopics(): Promise<string[]> {
    return this.#counted(this.#client.listTopics());
  }

  describeTopics(topics: readonly string[]): Promise<Map<string, TopicDescription | KafkaError>> {
    return this.#counted(this.#client.describeTopics(topics));
  }

  listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
  ): Promise<Map<string, PartitionOffsets | KafkaError>> {
    return this.#counted(this.#client.listOffsets(topics, at));
  }

  openReader(options: ReaderOptions): TopicReader {
    return this.#client.openReader({
      ...options,
      onStatus: (status: ReaderStatus) => {
        if ('error' in status) this.#onError(status.error.code);
        options.onStatus(status);
      },
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #counted<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof KafkaError) this.#onError(error.code);
      throw error;
    }
  }
}
