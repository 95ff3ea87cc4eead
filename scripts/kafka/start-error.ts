/** Kafka did not start; the message says why in a sentence, with the end of the broker's log. */
export class KafkaStartError extends Error {
  override readonly name = 'KafkaStartError';
}
