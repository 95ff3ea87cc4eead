/** The orders in which a topic's events can be delivered; see docs/ordering.md. */
export type EventOrder = 'ARRIVAL' | 'TIMESTAMP' | 'SEQUENCE';
