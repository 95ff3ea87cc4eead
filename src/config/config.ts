import { topicName } from '../decode/topic-name.ts';
import type { KafkaSasl, KafkaTls } from '../kafka/port.ts';
import type { settings, TopicConfig } from './schema.ts';
import type { ValuesOf } from './setting.ts';

/** The values of the table of settings as they are written, defaults filled in. */
export type Written = ValuesOf<typeof settings>;

type WrittenKafka = Written['kafka'];

/**
 * The configuration of a server: the table of settings (src/config/schema.ts), with durations in
 * milliseconds (`feeds.lingerMs`), and with files read. Deeply frozen.
 */
export interface Config extends Omit<Written, 'kafka' | 'auth' | 'cursors'> {
  readonly kafka: Omit<WrittenKafka, 'ssl' | 'sasl'> & {
    readonly ssl: KafkaTls | false;
    /** The service's own login; `null`: none, or every client logs in as itself. */
    readonly sasl: KafkaSasl | null;
  };
  readonly auth: { readonly projects: NonNullable<Written['auth']['projects']> };
  /** `null`: derive it from the cluster's id. */
  readonly cursors: { readonly secret: string | null };
}

/** The settings of one topic: its overrides over the defaults. */
export function topicConfig(config: Config, topic: string): TopicConfig {
  const override = Object.entries(config.topics.overrides).find(
    ([name]) => topicName(name) === topicName(topic),
  );
  return { ...config.topics.defaults, ...override?.[1] };
}
