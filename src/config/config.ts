import { topicName } from '../decode/topic-name.ts';
import type { PropertyFilter } from '../decode/property-filter.ts';
import type { KafkaSasl, KafkaTls } from '../kafka/port.ts';
import type { settings, TopicConfig, WrittenKey } from './schema.ts';
import type { ValuesOf } from './setting.ts';

/** The values of the table of settings as they are written, defaults filled in. */
export type Written = ValuesOf<typeof settings>;

type WrittenKafka = Written['kafka'];

/**
 * The configuration of a server: the table of settings (src/config/schema.ts), with durations in
 * milliseconds (`feeds.lingerMs`), and with files read. Deeply frozen.
 */
export interface Config
  extends Omit<Written, 'listen' | 'kafka' | 'auth' | 'cursors' | 'tokens' | 'metrics'> {
  readonly listen: Omit<Written['listen'], 'tls'> & {
    /** `null`: without TLS. */
    readonly tls: TlsFiles | null;
  };
  readonly kafka: Omit<WrittenKafka, 'ssl' | 'sasl'> & {
    readonly ssl: KafkaTls | false;
    /** The service's own login; `null`: none, or every client logs in as itself. */
    readonly sasl: KafkaSasl | null;
  };
  readonly auth: { readonly projects: readonly ProjectConfig[] };
  /** `null`: derive it from the cluster's id. */
  readonly cursors: { readonly secret: string | null };
  readonly tokens: {
    /** `null`: there is none that instances on other machines have as well. */
    readonly secret: string | null;
    readonly maxExpiresInMs: number;
    readonly trusted: readonly TrustedIssuer[];
  };
  /** `token: null`: for this machine only. */
  readonly metrics: Omit<Written['metrics'], 'tokenFile'>;
}

/** Where the certificate of the listener and its key are. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A project and the keys that it may log in with (`kafka.credentials: service`). */
export interface ProjectConfig {
  readonly id: string;
  readonly keys: readonly KeyConfig[];
}

export type KeyConfig = Omit<WrittenKey, 'filters'> & {
  /** What must hold of every event that it sees; `null`: it has filters that are not enforced. */
  readonly filter: readonly PropertyFilter[] | null;
};

/** Somebody whose tokens are accepted for a project. */
export interface TrustedIssuer {
  readonly project: string;
  /** What the tokens must say about who made them and for whom; `null`: anything. */
  readonly issuer: string | null;
  readonly audience: string | null;
  readonly key: IssuerKey;
}

/** What an issuer's signatures are verified with. */
export type IssuerKey =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'publicKey'; readonly pem: string }
  | { readonly kind: 'jwks'; readonly url: string };

/** The settings of one topic: its overrides over the defaults. */
export function topicConfig(config: Pick<Config, 'topics'>, topic: string): TopicConfig {
  const override = Object.entries(config.topics.overrides).find(
    ([name]) => topicName(name) === topicName(topic),
  );
  const { defaults } = config.topics;
  // No copy of what is common: each subscription keeps the settings of its topic.
  return override === undefined ? defaults : { ...defaults, ...override[1] };
}
