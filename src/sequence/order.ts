/** The orders in which a topic's events can be delivered; see docs/ordering.md. */
export const eventOrders = ['ARRIVAL', 'TIMESTAMP', 'SEQUENCE'] as const;

export type EventOrder = (typeof eventOrders)[number];
