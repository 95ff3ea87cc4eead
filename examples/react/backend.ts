import { serve } from '../shared/backend.ts';

await serve({
  title: 'Purchases, with React',
  entry: new URL('main.tsx', import.meta.url),
  scope: { topics: ['purchases'] },
});
