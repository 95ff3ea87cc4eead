interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly unit: string;
  readonly help: string;
  /** Of a histogram: the upper bounds of its buckets, in its unit. */
  readonly buckets?: readonly number[];
}

const feed = ['project', 'topic'] as const;

/**
 * The one table of metrics. What a server shows at `/metrics` and the table of docs/metrics.md come from
 * it, and a test holds the dashboard to it.
 */
export const metricTable = {
  millrace_build_info: {
    type: 'gauge',
    labels: ['version', 'node', 'kafka_client'],
    unit: '',
    help: 'Always 1: what runs.',
  },
  millrace_connections: {
    type: 'gauge',
    labels: ['transport'],
    unit: 'connections',
    help: 'Open connections. `http` are those that are none of the others: requests, and those that are yet to say what they want.',
  },
  millrace_project_connections: {
    type: 'gauge',
    labels: ['project'],
    unit: 'connections',
    help: 'WebSockets and event streams of a project.',
  },
  millrace_subscriptions: {
    type: 'gauge',
    labels: ['kind', 'transport'],
    unit: 'subscriptions',
    help: 'Open subscriptions.',
  },
  millrace_project_subscriptions: {
    type: 'gauge',
    labels: ['project'],
    unit: 'subscriptions',
    help: 'Open subscriptions of a project.',
  },
  millrace_messages_sent_total: {
    type: 'counter',
    labels: ['transport'],
    unit: 'messages',
    help: 'Events, batches and dead letters written to sockets, each as often as it was written.',
  },
  millrace_bytes_sent_total: {
    type: 'counter',
    labels: ['transport'],
    unit: 'bytes',
    help: 'Their bytes, with the framing of the transport.',
  },
  millrace_project_bytes_sent_total: {
    type: 'counter',
    labels: ['project'],
    unit: 'bytes',
    help: 'All bytes of messages and answers that were sent for a project.',
  },
  millrace_delivery_lag_seconds: {
    type: 'histogram',
    labels: [],
    unit: 'seconds',
    help: 'From the broker’s time of an event or dead letter to its being written to a socket, for each delivery. Without what is read from the past for those who come back; the lateness that an order waits for is part of it.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 3, 5, 10, 30, 60, 300],
  },
  millrace_queue_bytes: {
    type: 'gauge',
    labels: [],
    unit: 'bytes',
    help: 'What waits in memory for slow clients, over all connections: messages of subscriptions, and answers to queries. What several wait for is counted for each.',
  },
  millrace_project_answer_bytes: {
    type: 'gauge',
    labels: ['project'],
    unit: 'bytes',
    help: 'Answers to queries of a project that have not been taken as a whole, which `limits.answerBytesPerProject` bounds.',
  },
  millrace_slow_moves_total: {
    type: 'counter',
    labels: [],
    unit: 'times',
    help: 'How often what waited for a slow client was dropped, to be read from Kafka again when it takes something; and how often what is for one of many selections was put off, as 8 MiB had been made for its project in that turn of the event loop.',
  },
  millrace_slow_closes_total: {
    type: 'counter',
    labels: [],
    unit: 'connections',
    help: 'Connections closed because the client took nothing for `limits.stallTimeout`.',
  },
  millrace_closes_total: {
    type: 'counter',
    labels: ['transport', 'code'],
    unit: 'WebSockets',
    help: 'Closed WebSockets by close code; codes that are not ours or the protocol’s are `other`.',
  },
  millrace_feeds: {
    type: 'gauge',
    labels: ['state'],
    unit: 'feeds',
    help: 'Shared feeds by state: one for each login and topic that is subscribed to.',
  },
  millrace_catch_up_readers: {
    type: 'gauge',
    labels: [],
    unit: 'readers',
    help: 'Readers of the past, for those who come back or ask for `since`.',
  },
  millrace_records_received_total: {
    type: 'counter',
    labels: feed,
    unit: 'records',
    help: 'Records that shared feeds read.',
  },
  millrace_records_reread_total: {
    type: 'counter',
    labels: feed,
    unit: 'records',
    help: 'Records that readers of the past read.',
  },
  millrace_deliveries_total: {
    type: 'counter',
    labels: feed,
    unit: 'messages',
    help: 'Messages that shared feeds handed to subscriptions, each as often as it was handed out.',
  },
  millrace_duplicates_total: {
    type: 'counter',
    labels: feed,
    unit: 'records',
    help: 'Copies that were dropped.',
  },
  millrace_late_total: {
    type: 'counter',
    labels: feed,
    unit: 'events',
    help: 'Events delivered with `late: true`.',
  },
  millrace_released_early_total: {
    type: 'counter',
    labels: feed,
    unit: 'events',
    help: 'Events delivered before their time because `topics.defaults.maxHeldBytes` was reached.',
  },
  millrace_cut_intervals_total: {
    type: 'counter',
    labels: feed,
    unit: 'intervals',
    help: 'Intervals of `delivery` that ended early because `limits.latestValues` or `limits.latestBytes` was reached, batches that were sent early because `limits.batchBytes` was, and either because `limits.waitingBytesPerProject` was; for each group of subscriptions that want the same.',
  },
  millrace_held_events: {
    type: 'gauge',
    labels: feed,
    unit: 'events',
    help: 'Events that wait for their place in the order.',
  },
  millrace_held_bytes: {
    type: 'gauge',
    labels: feed,
    unit: 'bytes',
    help: 'Their JSON texts.',
  },
  millrace_history_bytes: {
    type: 'gauge',
    labels: feed,
    unit: 'bytes',
    help: 'Texts of delivered events and dead letters that are remembered (about `feeds.historyBytes` for each stream at the most) and, while clients come back, of what is played back to them with what is made of it for sending (16 MiB more for each stream and kind of subscription).',
  },
  millrace_parsed_payload_bytes: {
    type: 'gauge',
    labels: [],
    unit: 'bytes',
    help: 'Texts of the events whose payloads are kept parsed, for the filters that ask for them next: 2 MiB and one event at the most, of which the older half is forgotten.',
  },
  millrace_dedup_window_seconds: {
    type: 'gauge',
    labels: feed,
    unit: 'seconds',
    help: 'How far back copies are really noticed at the moment: less than `topics.defaults.dedupWindow` after a start, or when `topics.defaults.maxDedupBytes` does not suffice.',
  },
  millrace_dedup_bytes: {
    type: 'gauge',
    labels: feed,
    unit: 'bytes',
    help: 'Memory for the ids of that window.',
  },
  millrace_feed_lag_records: {
    type: 'gauge',
    labels: feed,
    unit: 'records',
    help: 'Records in the log that the shared feed has not read.',
  },
  millrace_kafka_errors_total: {
    type: 'counter',
    labels: ['code'],
    unit: 'errors',
    help: 'Requests to Kafka that failed, readers that came to be out of reach, and readers that failed. A refused login of a client (`kafka.credentials: client`) is `AUTHENTICATION_FAILED`.',
  },
  millrace_logins_total: {
    type: 'counter',
    labels: ['result'],
    unit: 'logins',
    help: 'Clients that showed credentials: `ok`, `refused`, or `failed` where they could not be verified.',
  },
  millrace_refused_total: {
    type: 'counter',
    labels: ['code'],
    unit: 'errors',
    help: 'Errors that clients were told, by code.',
  },
  millrace_limits_hit_total: {
    type: 'counter',
    labels: ['limit'],
    unit: 'times',
    help: 'How often a client was refused something over a limit, by its configuration path. WebSockets that were closed over `limits.initTimeout` and `limits.inboundFrameBytes` are in `millrace_closes_total`, with the codes 4408 and 1009.',
  },
} as const satisfies Record<string, MetricRow>;

export type MetricTable = typeof metricTable;
export type MetricName = keyof MetricTable;

type NameOf<Type extends MetricRow['type']> = {
  [Name in MetricName]: MetricTable[Name]['type'] extends Type ? Name : never;
}[MetricName];

export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;

/** A value for each label of a metric. */
export type LabelsOf<Name extends MetricName> = Readonly<
  Record<MetricTable[Name]['labels'][number], string>
>;
