export const palette = {
  page_views: '#4c8df6',
  purchases: '#12b886',
  signups: '#9775fa',
  deadLetters: '#fd7e14',
} as const;

export const titles = {
  page_views: 'Page views',
  purchases: 'Purchases',
  signups: 'Sign-ups',
} as const;
