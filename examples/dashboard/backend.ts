import { serve } from '../shared/backend.ts';

/** `npm run example`: a live dashboard of the demo's product events, before a running `npm start`. */
await serve({
  title: 'Tea shop, live',
  entry: new URL('app/main.tsx', import.meta.url),
  scope: { topics: ['purchases', 'signups', 'page_views'] },
});
