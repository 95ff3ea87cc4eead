import type { WebSocketEndpoint } from '../../conformance/rfc6455/stage.ts';
import { webSocketTests } from '../../conformance/rfc6455.ts';
import { runEmbedded } from '../../support/server.ts';

const login = { projectId: 'acme', key: 'acme-read' };

const endpoints: readonly WebSocketEndpoint[] = [
  {
    name: 'GraphQL',
    path: '/graphql',
    protocol: 'graphql-transport-ws',
    message: JSON.stringify({ type: 'connection_init', payload: login, ü: '€😀' }),
    answer: /"connection_ack"/,
  },
  {
    name: 'plain feed',
    path: '/feeds/purchases',
    protocol: 'millrace.v1',
    message: JSON.stringify({ type: 'auth', ...login, ü: '€😀' }),
    answer: /"ready"/,
  },
];

for (const endpoint of endpoints) {
  webSocketTests(async (t, { compression, maxMessageBytes }) => {
    const { server } = await runEmbedded(t, {
      topics: ['acme.purchases'],
      settings: {
        MILLRACE_HTTP_COMPRESSION: String(compression),
        MILLRACE_LIMITS_INBOUND_FRAME_BYTES: String(maxMessageBytes),
      },
    });
    return server.url;
  }, endpoint);
}
