/** What a condition may ask of a property: docs/filters.md. */
export const operators = [
  'EQ',
  'NE',
  'GT',
  'GTE',
  'LT',
  'LTE',
  'IN',
  'EXISTS',
  'CONTAINS',
  'STARTS_WITH',
] as const;

export type Operator = (typeof operators)[number];
