import { createClient, type Event } from 'millrace/client';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { askForToken } from '../shared/token.ts';
import { useFeed } from './use-feed.ts';

interface Purchase {
  readonly amount: number;
  readonly user: { readonly email: string };
}

const client = createClient({ url: document.body.dataset['millrace'] ?? '/', token: askForToken });
const openPurchases = () => client.events<Purchase>('purchases');

function Purchases() {
  const { items, state } = useFeed(openPurchases);
  return (
    <>
      <h1>Purchases</h1>
      <p role="status">{state.name === 'waiting' ? state.reason.message : state.name}</p>
      <ol reversed>
        {items.map((event) => (
          <Line key={event.cursor} event={event} />
        ))}
      </ol>
    </>
  );
}

function Line({ event: { payload } }: { readonly event: Event<Purchase> }) {
  return (
    <li>
      {payload.user.email} {payload.amount}
    </li>
  );
}

const root = document.createElement('main');
document.body.append(root);
createRoot(root).render(
  <StrictMode>
    <Purchases />
  </StrictMode>,
);
