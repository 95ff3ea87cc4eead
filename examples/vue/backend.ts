import { serve } from '../shared/backend.ts';

await serve({
  title: 'Purchases, with Vue',
  entry: new URL('main.ts', import.meta.url),
  scope: { topics: ['purchases'] },
});
