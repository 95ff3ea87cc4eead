import { createClient } from 'millrace/client';
import { createApp, defineComponent, h } from 'vue';
import { askForToken } from '../shared/token.ts';
import { useFeed } from './use-feed.ts';

interface Purchase {
  readonly amount: number;
  readonly user: { readonly email: string };
}

const client = createClient({ url: document.body.dataset['millrace'] ?? '/', token: askForToken });

const Purchases = defineComponent(() => {
  const { items, state } = useFeed(client.events<Purchase>('purchases'));
  return () => [
    h('h1', 'Purchases'),
    h(
      'p',
      { role: 'status' },
      state.value.name === 'waiting' ? state.value.reason.message : state.value.name,
    ),
    h(
      'ol',
      { reversed: true },
      items.value.map(({ cursor, payload }) =>
        h('li', { key: cursor }, `${payload.user.email} ${payload.amount}`),
      ),
    ),
  ];
});

const root = document.createElement('main');
document.body.append(root);
createApp(Purchases).mount(root);
